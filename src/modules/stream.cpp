#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/convert.hpp>
#include <xinterp/modules/stream.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/raw_output.hpp>

#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace xinterp::modules {
namespace {

using python::Ref;

struct StreamData {
    Stream which;
};

StreamData& data_of(PyObject* self, PyTypeObject* type) {
    return *static_cast<StreamData*>(PyObject_GetTypeData(self, type));
}

int descriptor_of(Stream stream) { return stream == Stream::out ? STDOUT_FILENO : STDERR_FILENO; }

BridgeState* state_of(PyTypeObject* type) { return static_cast<BridgeState*>(PyType_GetModuleState(type)); }

// In the child of a fork: what its streams hold until the line ends or they are flushed, as in a terminal. Processes
// that write at the same time, such as a pool's workers, then write whole lines. Guarded by the child's GIL.
std::array<std::string, 2> unfinished_lines;

void write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void flush_in_child(Stream stream) {
    const std::string text = std::exchange(unfinished_lines[stream == Stream::out ? 0 : 1], {});
    write_all(descriptor_of(stream), text);
}

void write_in_child(Stream stream, std::string_view text) {
    unfinished_lines[stream == Stream::out ? 0 : 1] += text;
    if (text.find_first_of("\n\r") != std::string_view::npos) flush_in_child(stream);
}

PyObject* write(PyObject* self, PyTypeObject* type, PyObject* const* arguments, Py_ssize_t count, PyObject*) {
    if (count != 1) {
        PyErr_Format(PyExc_TypeError, "write() takes exactly one argument (%zd given)", count);
        return nullptr;
    }
    PyObject* text = arguments[0];
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "write() argument must be str, not %s", Py_TYPE(text)->tp_name);
        return nullptr;
    }
    const Stream which = data_of(self, type).which;
    std::string escaped;
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);
    if (utf8 == nullptr) {
        PyErr_Clear();
        escaped = to_utf8(text);
        utf8 = escaped.data();
        size = static_cast<Py_ssize_t>(escaped.size());
    }
    const std::string_view view{utf8, static_cast<std::size_t>(size)};
    if (in_forked_child()) {
        write_in_child(which, view);
    } else if (const Source source = output_source(*state_of(type)); source.cell != unheard_cell) {
        FrontEnd& shower = front_end();
        shower.write(source, which, view);
        if (!shower.has_room() && !wait_for_room(shower)) return nullptr;
    }
    return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

PyObject* flush(PyObject* self, PyTypeObject* type, PyObject* const*, Py_ssize_t, PyObject*) {
    if (in_forked_child()) flush_in_child(data_of(self, type).which);
    Py_RETURN_NONE;
}

PyObject* return_none(PyObject*, PyObject*) { Py_RETURN_NONE; }
PyObject* return_true(PyObject*, PyObject*) { Py_RETURN_TRUE; }
PyObject* return_false(PyObject*, PyObject*) { Py_RETURN_FALSE; }

PyObject* fileno(PyObject* self, PyTypeObject* type, PyObject* const*, Py_ssize_t, PyObject*) {
    // A subprocess that is given this descriptor gets a pipe of its cell, as one that inherits it does.
    return PyLong_FromLong(descriptor_of(data_of(self, type).which));
}

PyObject* get_name(PyObject* self, void*) {
    BridgeState* state = bridge_state();
    if (state == nullptr) return nullptr;
    const Stream which = data_of(self, reinterpret_cast<PyTypeObject*>(state->stream_type)).which;
    return PyUnicode_FromString(which == Stream::out ? "<stdout>" : "<stderr>");
}
PyObject* get_encoding(PyObject*, void*) { return PyUnicode_FromString("utf-8"); }
PyObject* get_errors(PyObject*, void*) { return PyUnicode_FromString("backslashreplace"); }
PyObject* get_mode(PyObject*, void*) { return PyUnicode_FromString("w"); }
PyObject* get_line_buffering(PyObject*, void*) { Py_RETURN_FALSE; }

PyMethodDef methods[] = {
    {"write",
     reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(
         guarded<write, PyObject*, PyTypeObject*, PyObject* const*, Py_ssize_t, PyObject*>)),
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "write(text, /)\n--\n\nShow the text under the cell that the calling code belongs to; return its length."},
    {"flush", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(flush)),
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "flush()\n--\n\nNothing to do: text is on its way within 15 ms. In a forked child: write what has been held."},
    {"isatty", return_false, METH_NOARGS, "isatty()\n--\n\nFalse."},
    {"readable", return_false, METH_NOARGS, "readable()\n--\n\nFalse."},
    {"writable", return_true, METH_NOARGS, "writable()\n--\n\nTrue."},
    {"seekable", return_false, METH_NOARGS, "seekable()\n--\n\nFalse."},
    {"close", return_none, METH_NOARGS, "close()\n--\n\nNothing: other cells write to it too."},
    {"fileno", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(fileno)),
     METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     "fileno()\n--\n\n1 or 2. A subprocess that is given it writes to the cell that started it."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"name", get_name, nullptr, "'<stdout>' or '<stderr>'", nullptr},
    {"encoding", get_encoding, nullptr, "'utf-8'", nullptr},
    {"errors", get_errors, nullptr, "'backslashreplace'", nullptr},
    {"mode", get_mode, nullptr, "'w'", nullptr},
    {"line_buffering", get_line_buffering, nullptr, "False", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>("A stream of the notebook: what is written shows under the cell that wrote it.")},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {0, nullptr},
};

PyType_Spec spec = {"_xinterp.Stream", -static_cast<int>(sizeof(StreamData)), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};

} // namespace

Ref make_stream_type(PyObject* module) {
    const Ref io = Ref::steal(PyImport_ImportModule("io"));
    // io.TextIOBase has a metaclass, which cannot be that of a type made here: its base is extended, and registered.
    const Ref abstract = Ref::steal(io ? PyObject_GetAttrString(io.get(), "TextIOBase") : nullptr);
    const Ref base = Ref::steal(abstract ? PyObject_GetAttrString(abstract.get(), "__base__") : nullptr);
    Ref type = Ref::steal(base ? PyType_FromModuleAndSpec(module, &spec, base.get()) : nullptr);
    const Ref registered =
        Ref::steal(type ? PyObject_CallMethod(abstract.get(), "register", "O", type.get()) : nullptr);
    return registered ? type : Ref{};
}

Ref make_stream(const BridgeState& state, Stream which) {
    Ref stream = Ref::steal(PyObject_CallNoArgs(state.stream_type));
    if (stream) data_of(stream.get(), reinterpret_cast<PyTypeObject*>(state.stream_type)).which = which;
    return stream;
}

} // namespace xinterp::modules
