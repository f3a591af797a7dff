// include/xinterp/modules/stand_ins.hpp: functions of other modules that do something else here and are otherwise
// unchanged. The function object itself stays: only what a call of it runs is exchanged. So its name, signature,
// annotations, type and pickle are the original's, also for code that has imported it before, and a traceback shows no
// frame for the exchange. Attached thread state needed.
#pragma once

#include <xinterp/python/ref.hpp>

namespace xinterp::modules {

/// What one interpreter's functions run instead of their own code; part of its `_xinterp` module's state.
class StandIns;
StandIns* create_stand_ins();
/// Drops the references; the memory is used again by a later interpreter. A function that is called afterwards runs its
/// own code.
void drop_stand_ins(StandIns* all);
int traverse_stand_ins(const StandIns* all, visitproc visit, void* arg);

/// stand_in(owner, function, implementation): from now on a call runs `implementation(original, *args, **kwargs)`.
/// `function` is a Python function, a builtin function or a method descriptor of `owner`, a module or class; `original`
/// is a function with the code that it had. A call whose arguments do not fit the implementation is passed to the
/// original, whose error has the words that people know. None; null with an exception set.
PyObject* stand_in(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
/// stand_ins(): a list of the originals of this interpreter.
PyObject* list_stand_ins(PyObject* module, PyObject*);

} // namespace xinterp::modules
