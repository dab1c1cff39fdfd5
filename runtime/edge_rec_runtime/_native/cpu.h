/* What this CPU can run. A level includes those below it; each kernel comes once a level, in an array by level. */
#ifndef EDGE_REC_CPU_H
#define EDGE_REC_CPU_H

#if defined(__x86_64__)
#define EDGE_REC_X86 1
/* AVX-512 means what the kernels use of it (Ice Lake, Zen 4 and later): VNNI, VBMI, VPOPCNTDQ and BITALG too. */
enum level { LEVEL_PORTABLE, LEVEL_AVX2, LEVEL_AVX512, LEVELS };
#define TARGET_AVX2 __attribute__((target("avx2,fma,f16c,popcnt,bmi,bmi2")))
#define TARGET_AVX512                                                                                                            \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vbmi,avx512vpopcntdq,avx512bitalg,"               \
                          "avx2,fma,f16c,popcnt,bmi,bmi2")))
#elif defined(__aarch64__)
#define EDGE_REC_ARM64 1
enum level { LEVEL_PORTABLE, LEVEL_NEON, LEVEL_DOTPROD, LEVELS };
#define TARGET_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#else
enum level { LEVEL_PORTABLE, LEVELS };
#endif

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the tables of a bundle are little-endian, and so must be the CPU; numpy serves elsewhere"
#endif

/* A body written once and instantiated for constants. */
#define INLINE static inline __attribute__((always_inline))

/* The highest level of this CPU. */
enum level cpu_level(void);

/* "portable", "avx2", ... */
const char *cpu_level_name(enum level level);

/* The level of that name, or -1. */
int cpu_level_named(const char *name);

#endif
