/* edge_rec_runtime._kernels: one type a layout, and what this CPU can run. */
#include "cpu.h"
#include "types.h"

static PyType_Spec *const TYPES[] = {
    &int8_type,
    &fp32_type,
    &fp16_type,
    &shadow_type,
    &signs_type,
    &hamming_type,
    &int4_type,
    &pq_type,
};

static PyObject *levels(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(nothing))
{
    int count = (int)cpu_level() + 1;
    PyObject *names = PyTuple_New(count);
    for (int level = 0; names && level < count; level++) {
        PyObject *name = PyUnicode_FromString(cpu_level_name((enum level)level));
        if (!name || PyTuple_SetItem(names, level, name) != 0)
            Py_CLEAR(names);
    }
    return names;
}

static PyMethodDef functions[] = {
    {"levels", levels, METH_NOARGS, "levels() -> names of the levels that this CPU runs, the lowest first"},
    {"_read_all", read_all, METH_VARARGS, "_read_all(buffer, streams): one plain read, in order or as 4 streams; for benchmarks"},
    {0},
};

static int add_types(PyObject *module)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        PyObject *type = PyType_FromModuleAndSpec(module, TYPES[i], 0);
        if (!type)
            return -1;
        int failed = PyModule_AddType(module, (PyTypeObject *)type);
        Py_DECREF(type);
        if (failed)
            return -1;
    }
    return 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, add_types},
    {0},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernels", "Search kernels in C; edge_rec_runtime.kernels says whether they are used.", 0, functions, slots, 0, 0, 0,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModuleDef_Init(&definition);
}
