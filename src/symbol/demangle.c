/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++ names go through the __cxa_demangle() of an installed libstdc++ or libc++abi (the
 * Itanium C++ ABI, section 3.4 and 5.1); Rust's legacy names are simple enough to be read here.
 */
#include "symbol/demangle.h"

#include <ctype.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MANGLED_MAX 1024
/*
 * Each back reference repeats what an earlier one already repeated: text grows as
 * 3^(references/3) at most, so this keeps a hostile name below some megabytes.
 */
#define REFERENCES_MAX 36
#define PACK_WEIGHT    9

typedef char *(*demangle_function)(const char *, char *, size_t *, int *);

static demangle_function cxa_demangle;
static pthread_once_t cxa_once = PTHREAD_ONCE_INIT;

static void cxa_load(void)
{
	static const char *const libraries[] = {"libstdc++.so.6", "libc++abi.so.1"};
	size_t i;

	for (i = 0; i < sizeof(libraries) / sizeof(*libraries) && !cxa_demangle; i++) {
		void *library = dlopen(libraries[i], RTLD_LAZY | RTLD_LOCAL);

		if (library)
			*(void **)&cxa_demangle = dlsym(library, "__cxa_demangle");
	}
}

static bool is_explosive(const char *name)
{
	size_t weight = 0;
	size_t length = 0;

	for (; name[length]; length++) {
		char c = name[length];
		char next = name[length + 1];

		if ((c == 'S' || c == 'T') &&
		    (next == '_' || isdigit((unsigned char)next) || isupper((unsigned char)next)))
			weight++;
		else if ((c == 'D' || c == 's') && next == 'p')
			weight += PACK_WEIGHT;
	}
	return length > MANGLED_MAX || weight > REFERENCES_MAX;
}

/* One $..$ escape of Rust's legacy mangling at *in; writes at most one character. */
static bool rust_escape(const char **in, const char *end, char **out)
{
	static const struct {
		const char *code;
		char text;
	} codes[] = {{"$SP$", '@'}, {"$BP$", '*'}, {"$RF$", '&'}, {"$LT$", '<'},
	             {"$GT$", '>'}, {"$LP$", '('}, {"$RP$", ')'}, {"$C$", ','}};
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		size_t length = strlen(codes[i].code);

		if ((size_t)(end - *in) >= length && !memcmp(*in, codes[i].code, length)) {
			*(*out)++ = codes[i].text;
			*in += length;
			return true;
		}
	}
	if (end - *in >= 5 && !memcmp(*in, "$u", 2) && (*in)[4] == '$' &&
	    isxdigit((unsigned char)(*in)[2]) && isxdigit((unsigned char)(*in)[3])) {
		char digits[3] = {(*in)[2], (*in)[3], '\0'};
		long value = strtol(digits, NULL, 16);

		if (value < 0x20 || value > 0x7e)
			return false;
		*(*out)++ = (char)value;
		*in += 5;
		return true;
	}
	return false;
}

static char *rust_part(const char *in, size_t length, char *out)
{
	const char *end = in + length;

	if (length > 1 && in[0] == '_' && in[1] == '$')
		in++;
	while (in < end) {
		if (*in == '$' && rust_escape(&in, end, &out))
			continue;
		if (end - in >= 2 && in[0] == '.' && in[1] == '.') {
			*out++ = ':';
			*out++ = ':';
			in += 2;
			continue;
		}
		*out++ = *in++;
	}
	return out;
}

static bool rust_is_hash(const char *text, size_t length)
{
	size_t i;

	if (length != 17 || text[0] != 'h')
		return false;
	for (i = 1; i < length; i++)
		if (!isdigit((unsigned char)text[i]) && (text[i] < 'a' || text[i] > 'f'))
			return false;
	return true;
}

/* _ZN then <length><part>... 17h<hash> E: NULL when name is not of that form. */
static char *rust_legacy(const char *name)
{
	const char *in = name + 3;
	char *text = malloc(2 * strlen(name) + 1);
	char *out = text;
	bool hashed = false;

	if (!text)
		return NULL;
	while (isdigit((unsigned char)*in) && !hashed) {
		char *part;
		unsigned long length = strtoul(in, &part, 10);

		if (length == 0 || length > MANGLED_MAX || strnlen(part, length) < length)
			break;
		hashed = rust_is_hash(part, length);
		if (!hashed) {
			if (out != text) {
				*out++ = ':';
				*out++ = ':';
			}
			out = rust_part(part, length, out);
		}
		in = part + length;
	}
	if (!hashed || *in != 'E' || out == text) {
		free(text);
		return NULL;
	}
	*out = '\0';
	return text;
}

char *pgf_demangle(const char *name)
{
	char *text;
	int status = 0;

	if (strncmp(name, "_Z", 2) != 0 || strnlen(name, MANGLED_MAX + 1) > MANGLED_MAX)
		return NULL;
	if (name[2] == 'N') {
		text = rust_legacy(name);
		if (text)
			return text;
	}
	if (is_explosive(name))
		return NULL;
	pthread_once(&cxa_once, cxa_load);
	if (!cxa_demangle)
		return NULL;
	text = cxa_demangle(name, NULL, NULL, &status);
	if (status != 0) {
		free(text);
		return NULL;
	}
	return text;
}
