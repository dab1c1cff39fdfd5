/* The Python types of the module, one a layout. */
#ifndef EDGE_REC_TYPES_H
#define EDGE_REC_TYPES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec int8_type;
extern PyType_Spec fp32_type, fp16_type, shadow_type;
extern PyType_Spec signs_type;
extern PyType_Spec hamming_type;
extern PyType_Spec int4_type, pq_type;

/* _read_all(buffer, streams) -> sum of its bytes as words; for benchmarks. */
PyObject *read_all(PyObject *module, PyObject *arguments);

#endif
