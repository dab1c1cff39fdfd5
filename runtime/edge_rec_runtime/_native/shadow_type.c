/* Shadow(exact, groups, first_step, spread, rows_per_result=0): the Python type of a table with its shadow; exact is an Int8, Fp16 or
 * Fp32. */
#include "shadow.h"

#include "fp32.h"
#include "int8.h"
#include "object.h"
#include "types.h"

#include <float.h>

/* Take over what is asked of the exact table. */
static int take_exact(struct shadow_table *table, const struct table *exact)
{
    if (exact->layout == &int8_layout) {
        table->exact_rows = (const char *)((const struct int8_table *)exact)->codes;
        table->bias = &((const struct int8_table *)exact)->bias;
    } else if (exact->layout == &fp32_layout) {
        table->exact_rows = ((const struct fp32_table *)exact)->values;
        table->bias = &((const struct fp32_table *)exact)->bias;
    } else {
        PyErr_SetString(PyExc_TypeError, "the first argument is a table of another layout; expected Int8, Fp16 or Fp32");
        return -1;
    }
    table->exact = exact;
    table->base.level = exact->level;
    table->base.rows = exact->rows;
    table->base.dims = exact->dims;
    table->base.row_bytes = 1; /* a batch takes turns over pieces as long as they get: a pool is emptied after each */
    table->chunks = (exact->dims + 7) / 8;
    return 0;
}

static int take_grid(struct shadow_table *table, double first_step, double spread)
{
    table->first_step = (float)first_step;
    table->spread = (float)spread;
    float last = shadow_last_step(table);
    if (table->first_step >= FLT_MIN && last > 0 && last <= FLT_MAX && table->spread >= 0 && table->spread <= FLT_MAX)
        return 0;
    PyErr_SetString(PyExc_ValueError, "the steps or the spread are no positive, finite numbers of float32");
    return -1;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
    static char *names[] = {"exact", "groups", "first_step", "spread", "rows_per_result", 0};
    PyObject *exact, *groups;
    double first_step, spread;
    long long rows_per_result = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "OOdd|L:Shadow", names, &exact, &groups, &first_step, &spread,
                                     &rows_per_result))
        return 0;
    if (PyType_GetSlot(Py_TYPE(exact), Py_tp_dealloc) != (void *)object_dealloc) {
        PyErr_SetString(PyExc_TypeError, "the first argument is no table of this module");
        return 0;
    }
    struct object *object = object_new(type, &shadow_layout, sizeof(struct shadow_table), Py_None);
    if (!object)
        return 0;
    struct shadow_table *table = (struct shadow_table *)object->table;
    if (take_exact(table, ((struct object *)exact)->table) != 0 || take_grid(table, first_step, spread) != 0)
        goto refused;
    table->rows_per_result = rows_per_result < 0 ? 0 : rows_per_result < INT32_MAX ? rows_per_result : INT32_MAX;
    Py_INCREF(exact);
    object->of = exact;
    int64_t count = (table->base.rows + SHADOW_ROWS - 1) / SHADOW_ROWS;
    const struct wish wish = {"groups", "B", "uint8", 0, 2, {count, (2 * table->chunks + 1) * SHADOW_LINE}};
    const Py_buffer *view = object_hold(object, groups, &wish);
    if (!view)
        goto refused;
    table->groups = view->buf;
    return (PyObject *)object;
refused:
    Py_DECREF(object);
    return 0;
}

static PyMethodDef methods[] = {OBJECT_METHOD(top_k), OBJECT_METHOD(gather), OBJECT_METHOD(scores), {0}};

static PyType_Slot slots[] = {OBJECT_SLOTS(
    "a table Int8, Fp16 or Fp32, and its shadow: groups of 32 rows, the least step, the largest length of a row in steps;\n"
    "the full scan answers where the table has fewer rows than rows_per_result times the results asked for, or times 10",
    create, methods)};

PyType_Spec shadow_type = {"edge_rec_runtime._kernels.Shadow", sizeof(struct object), 0, Py_TPFLAGS_DEFAULT, slots};
