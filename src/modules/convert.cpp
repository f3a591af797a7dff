#include <xinterp/modules/convert.hpp>

#include <cmath>

namespace xinterp::modules {

using nlohmann::json;
using python::Ref;

std::string to_utf8(PyObject* text) {
    Py_ssize_t size = 0;
    if (const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size)) return {utf8, static_cast<std::size_t>(size)};
    PyErr_Clear();
    const Ref bytes = Ref::steal(PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace"));
    if (!bytes) {
        PyErr_Clear();
        return {};
    }
    return {PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
}

Ref to_python(const json& value) {
    switch (value.type()) {
    case json::value_t::boolean: return Ref::borrow(value.get<bool>() ? Py_True : Py_False);
    case json::value_t::number_integer: return Ref::steal(PyLong_FromLongLong(value.get<long long>()));
    case json::value_t::number_unsigned:
        return Ref::steal(PyLong_FromUnsignedLongLong(value.get<unsigned long long>()));
    case json::value_t::number_float: return Ref::steal(PyFloat_FromDouble(value.get<double>()));
    case json::value_t::string: {
        const auto& text = value.get_ref<const std::string&>();
        return Ref::steal(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
    }
    case json::value_t::array: {
        Ref list = Ref::steal(PyList_New(0));
        for (const json& each : value) {
            const Ref item = list ? to_python(each) : Ref{};
            if (!item || PyList_Append(list.get(), item.get()) != 0) return {};
        }
        return list;
    }
    case json::value_t::object: {
        Ref dict = Ref::steal(PyDict_New());
        for (const auto& [key, each] : value.items()) {
            const Ref name =
                dict ? Ref::steal(PyUnicode_FromStringAndSize(key.data(), static_cast<Py_ssize_t>(key.size()))) : Ref{};
            const Ref item = name ? to_python(each) : Ref{};
            if (!item || PyDict_SetItem(dict.get(), name.get(), item.get()) != 0) return {};
        }
        return dict;
    }
    default: return Ref::borrow(Py_None);
    }
}

bool to_json(PyObject* object, json& value, OtherAsJson other) {
    if (object == Py_None) {
        value = nullptr;
    } else if (PyBool_Check(object)) {
        value = object == Py_True;
    } else if (PyLong_Check(object)) {
        int overflow = 0;
        const long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
        if (overflow == 0) value = number;
        else value = PyLong_AsDouble(object);
        if (PyErr_Occurred() != nullptr) return false;
    } else if (PyFloat_Check(object)) {
        const double number = PyFloat_AS_DOUBLE(object);
        if (std::isfinite(number)) value = number;
        else value = nullptr; // JSON has neither infinity nor NaN
    } else if (PyUnicode_Check(object)) {
        value = to_utf8(object);
    } else if (PyList_Check(object) || PyTuple_Check(object)) {
        if (Py_EnterRecursiveCall(" while converting to JSON") != 0) return false;
        value = json::array();
        const Ref items = Ref::steal(PySequence_Fast(object, ""));
        bool sound = static_cast<bool>(items);
        for (Py_ssize_t i = 0; sound && i < PySequence_Fast_GET_SIZE(items.get()); ++i) {
            json item;
            sound = to_json(Ref::borrow(PySequence_Fast_GET_ITEM(items.get(), i)).get(), item, other);
            value.push_back(std::move(item));
        }
        Py_LeaveRecursiveCall();
        return sound;
    } else if (PyDict_Check(object)) {
        if (Py_EnterRecursiveCall(" while converting to JSON") != 0) return false;
        value = json::object();
        bool sound = true;
        PyObject *key = nullptr, *item = nullptr;
        Py_ssize_t position = 0;
        while (sound && PyDict_Next(object, &position, &key, &item) != 0) {
            const Ref name = Ref::steal(PyObject_Str(key));
            sound = name && to_json(Ref::borrow(item).get(), value[to_utf8(name.get())], other);
        }
        Py_LeaveRecursiveCall();
        return sound;
    } else if (other != nullptr) {
        if (Py_EnterRecursiveCall(" while converting to JSON") != 0) return false;
        const Ref made = other(object);
        const bool sound = made && to_json(made.get(), value, other);
        Py_LeaveRecursiveCall();
        return sound;
    } else {
        const Ref text = Ref::steal(PyObject_Repr(object));
        if (!text) return false;
        value = to_utf8(text.get());
    }
    return true;
}

} // namespace xinterp::modules
