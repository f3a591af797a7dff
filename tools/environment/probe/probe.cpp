#include <Python.h>

#include <xeus/xguid.hpp>

int main() {
    Py_InitializeEx(0);
    const bool ran = PyRun_SimpleString("import concurrent.interpreters") == 0 && !xeus::new_xguid().empty();
    return Py_FinalizeEx() == 0 && ran ? 0 : 1;
}
