/* Which instructions this CPU has, asked of the CPU itself, so that one build serves them all. */
#include "cpu.h"

#include <string.h>

#if defined(EDGE_REC_X86)
#include <cpuid.h>

static const char *const NAMES[LEVELS] = {"portable", "avx2", "avx512"};

static int has_f16c(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

enum level cpu_level(void)
{
    __builtin_cpu_init(); /* asks the operating system, too, whether it saves the wide registers */
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("popcnt") ||
        !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2") || !has_f16c())
        return LEVEL_PORTABLE;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vnni") || !__builtin_cpu_supports("avx512vbmi") ||
        !__builtin_cpu_supports("avx512vpopcntdq") || !__builtin_cpu_supports("avx512bitalg"))
        return LEVEL_AVX2;
    return LEVEL_AVX512;
}

#elif defined(EDGE_REC_ARM64)
static const char *const NAMES[LEVELS] = {"portable", "neon", "dotprod"};

#if defined(__linux__)
#include <sys/auxv.h>
#define HAS_ASIMDDP (1UL << 20) /* HWCAP_ASIMDDP of <asm/hwcap.h> */

enum level cpu_level(void)
{
    return getauxval(AT_HWCAP) & HAS_ASIMDDP ? LEVEL_DOTPROD : LEVEL_NEON;
}
#else
enum level cpu_level(void)
{
    return LEVEL_DOTPROD; /* every 64-bit Apple computer has it */
}
#endif

#else
static const char *const NAMES[LEVELS] = {"portable"};

enum level cpu_level(void)
{
    return LEVEL_PORTABLE;
}
#endif

const char *cpu_level_name(enum level level)
{
    return NAMES[level];
}

int cpu_level_named(const char *name)
{
    for (int level = 0; level < LEVELS; level++)
        if (strcmp(NAMES[level], name) == 0)
            return level;
    return -1;
}
