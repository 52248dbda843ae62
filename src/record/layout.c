/* SPDX-License-Identifier: BSD-2-Clause */
#include "record/layout.h"

#include <stddef.h>

/* Members' names cannot stand in parentheses. NOLINTBEGIN(bugprone-macro-parentheses) */
#define FIELD(row, tag, member, group, way, string)                                                \
	{                                                                                          \
		PGF_COL_##tag, offsetof(struct row, member), sizeof(((struct row *)0)->member),    \
		        PGF_GROUP_##group, PGF_WAY_##way, string,                                  \
		        _Generic(((struct row *)0)->member, bool : 1, default : 0)                 \
	}
#define ONE(row, tag, member, way) FIELD(row, tag, member, NONE, way, 0)
#define TEXT(row, tag, member)     FIELD(row, tag, member, NONE, VALUES, 1)
#define SHAPE(row, tag, member)    FIELD(row, tag, member, SHAPE, VALUES, 0)
#define TASK(row, tag, member)     FIELD(row, tag, member, TASK, VALUES, 0)
#define LAYOUT(fields, row)                                                                        \
	{                                                                                          \
		fields, sizeof(fields) / sizeof((fields)[0]), sizeof(struct row)                   \
	}
#define COST(row, fault, number)                                                                   \
	{                                                                                          \
		PGF_COL_COST + (number), offsetof(struct row, fault.cost_ns[number]),              \
		        sizeof(__u32), PGF_GROUP_NONE, PGF_WAY_VALUES, 0, 0                        \
	}
#define PLACE(row)                                                                                 \
	ONE(row, POSITION, place.position, STEPS), ONE(row, ORDINAL, place.ordinal, STEPS)

/* The members of a fault; those of a key come before what is coded by it. */
#define FAULT(row, f)                                                                              \
	TASK(row, TID, f.tid), TASK(row, PID, f.pid), TASK(row, CGROUP, f.cgroup),                 \
	        FIELD(row, COMM, comm, TASK, VALUES, 1), SHAPE(row, KIND, f.kind),                 \
	        SHAPE(row, FLAGS, f.flags), SHAPE(row, LEAVES, f.leaves),                          \
	        SHAPE(row, EVIDENCE, f.evidence), SHAPE(row, EVIDENCE_KNOWN, f.evidence_known),    \
	        SHAPE(row, RAW, f.access.raw), SHAPE(row, BITS, f.access.bits),                    \
	        SHAPE(row, KNOWN, f.access.known), SHAPE(row, OP, f.access.op),                    \
	        SHAPE(row, MODE, f.access.mode), SHAPE(row, ARCH, f.access.arch),                  \
	        SHAPE(row, LEVEL, f.access.level), SHAPE(row, VM_FAULT, f.vm_fault),               \
	        SHAPE(row, ORDER, f.order), SHAPE(row, SIGNO, f.signo),                            \
	        SHAPE(row, SI_CODE, f.si_code), SHAPE(row, IP_IS_ADDR, ip_is_addr),                \
	        ONE(row, MAP, f.map_id, KEY), ONE(row, ADDRESS, f.access.address, KEYED),          \
	        ONE(row, DURATION, f.duration_ns, LENGTH), ONE(row, TIME, f.time_ns, SPANS),       \
	        ONE(row, IP, f.ip, VALUES), ONE(row, CPU, f.cpu, VALUES),                          \
	        ONE(row, STACK, f.stack_id, VALUES), COST(row, f, 0), COST(row, f, 1),             \
	        COST(row, f, 2), COST(row, f, 3), COST(row, f, 4), COST(row, f, 5),                \
	        COST(row, f, 6), COST(row, f, 7), COST(row, f, 8), COST(row, f, 9)

/* NOLINTEND(bugprone-macro-parentheses) */

_Static_assert(PGF_COST_COUNT == 10, "a new cost needs a column");

static const struct pgf_field fault_fields[] = {FAULT(pgf_fault_row, fault)};

static const struct pgf_field cell_fields[] = {
        PLACE(pgf_cell_row),
        FAULT(pgf_cell_row, cell.fault),
        ONE(pgf_cell_row, COUNT, cell.count, VALUES),
        ONE(pgf_cell_row, NS, cell.ns, VALUES),
        ONE(pgf_cell_row, MAX_NS, cell.max_ns, VALUES),
        ONE(pgf_cell_row, BUCKET, cell.bucket, VALUES),
        ONE(pgf_cell_row, CODE, cell.code, VALUES),
};

static const struct pgf_field space_fields[] = {
        PLACE(pgf_space_row),
        ONE(pgf_space_row, SP_TYPE, event.type, VALUES),
        ONE(pgf_space_row, SP_PID, event.pid, KEY),
        ONE(pgf_space_row, SP_ADDR, event.addr, KEYED),
        ONE(pgf_space_row, SP_TIME, event.time_ns, STEPS),
        ONE(pgf_space_row, SP_TID, event.tid, VALUES),
        ONE(pgf_space_row, SP_PPID, event.ppid, VALUES),
        ONE(pgf_space_row, SP_LEN, event.len, VALUES),
        ONE(pgf_space_row, SP_NEW_ADDR, event.new_addr, VALUES),
        ONE(pgf_space_row, SP_NEW_LEN, event.new_len, VALUES),
        ONE(pgf_space_row, SP_PGOFF, event.pgoff, VALUES),
        ONE(pgf_space_row, SP_INO, event.ino, VALUES),
        ONE(pgf_space_row, SP_DEV, event.dev, VALUES),
        ONE(pgf_space_row, SP_PROT, event.prot, VALUES),
        ONE(pgf_space_row, SP_FLAGS, event.flags, VALUES),
        ONE(pgf_space_row, SP_ADVICE, event.advice, VALUES),
        ONE(pgf_space_row, SP_EXIT_CODE, event.exit_code, VALUES),
        ONE(pgf_space_row, SP_IP, event.ip, VALUES),
        TEXT(pgf_space_row, SP_NAME, name),
};

static const struct pgf_field stack_fields[] = {
        PLACE(pgf_stack_row),
        ONE(pgf_stack_row, ST_ID, id, STEPS),
        ONE(pgf_stack_row, ST_DEPTH, depth, VALUES),
};

static const struct pgf_field symbol_fields[] = {
        ONE(pgf_symbol_row, SY_ID, id, STEPS),
        ONE(pgf_symbol_row, SY_OUTER, outer, VALUES),
        ONE(pgf_symbol_row, SY_PID, pid, VALUES),
        ONE(pgf_symbol_row, SY_LINE, line, VALUES),
        ONE(pgf_symbol_row, SY_ADDR, addr, STEPS),
        ONE(pgf_symbol_row, SY_OFFSET, offset, VALUES),
        ONE(pgf_symbol_row, SY_EXACT, exact, VALUES),
        TEXT(pgf_symbol_row, SY_FUNC, func),
        TEXT(pgf_symbol_row, SY_FILE, file),
        TEXT(pgf_symbol_row, SY_MODULE, module),
        TEXT(pgf_symbol_row, SY_PATH, path),
};

static const struct pgf_field module_fields[] = {
        ONE(pgf_module_row, MO_DEV, dev, VALUES),
        ONE(pgf_module_row, MO_INO, ino, VALUES),
        TEXT(pgf_module_row, MO_PATH, path),
        TEXT(pgf_module_row, MO_BUILD, build),
};

#define TOTAL(tag, member) ONE(pgf_totals, TO_##tag, member, LIST)

_Static_assert(sizeof(bool) == 1, "booleans are one byte");

static const struct pgf_field totals_fields[] = {
        TOTAL(SEEN, seen),
        TOTAL(MINOR, minor),
        TOTAL(MAJOR, major),
        TOTAL(FAILED, failed),
        TOTAL(UNFINISHED, unfinished),
        TOTAL(NOFAULT, nofault),
        TOTAL(BEFORE_EXEC, before_exec),
        TOTAL(ENTERED, entered),
        TOTAL(LOST_EVENTS, lost_events),
        TOTAL(LOST_DETAIL, lost_detail),
        TOTAL(LOST_SPACE, lost_space),
        TOTAL(TASK_MIN, task_min),
        TOTAL(TASK_MAJ, task_maj),
        TOTAL(TASKS, tasks),
        TOTAL(TASKS_MISSED, tasks_missed),
        TOTAL(ENTERED_KNOWN, entered_known),
        TOTAL(TASK_KNOWN, task_known),
        TOTAL(GUP_SEPARABLE, gup_separable),
        TOTAL(FAULT_COST, fault_cost_ns),
        TOTAL(START, start_ns),
        TOTAL(END, end_ns),
        TOTAL(CHILD_UTIME, child_utime_ns),
        TOTAL(CHILD_STIME, child_stime_ns),
        TOTAL(DROPPED_AT_EXEC, events_dropped_at_exec),
        TOTAL(LOST_STACKS, lost_stacks),
};

const struct pgf_layout pgf_layout_fault = LAYOUT(fault_fields, pgf_fault_row);
const struct pgf_layout pgf_layout_cell = LAYOUT(cell_fields, pgf_cell_row);
const struct pgf_layout pgf_layout_space = LAYOUT(space_fields, pgf_space_row);
const struct pgf_layout pgf_layout_stack = LAYOUT(stack_fields, pgf_stack_row);
const struct pgf_layout pgf_layout_symbol = LAYOUT(symbol_fields, pgf_symbol_row);
const struct pgf_layout pgf_layout_module = LAYOUT(module_fields, pgf_module_row);
const struct pgf_layout pgf_layout_totals = LAYOUT(totals_fields, pgf_totals);
