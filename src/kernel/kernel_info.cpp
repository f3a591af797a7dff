#include <xinterp/kernel/kernel_info.hpp>
#include <xinterp/protocol/wire.hpp>
#include <xinterp/routing/subshells.hpp>

namespace xinterp::kernel {

using nlohmann::json;

json kernel_info_content(const KernelInfo& info) {
    const bool has_debugger = info.debugger.value_or(false);
    json features = json::array({Subshells::feature});
    if (has_debugger) features.push_back("debugger");
    const auto link = [](const char* text, const std::string& url) { return json{{"text", text}, {"url", url}}; };
    const std::string python = text(info.language, "version");
    const json links =
        json::array({link("Python Reference", "https://docs.python.org/" + python.substr(0, python.rfind('.'))),
                     link("IPython Reference", "https://ipython.org/documentation.html"),
                     link("NumPy Reference", "https://docs.scipy.org/doc/numpy/reference/"),
                     link("SciPy Reference", "https://docs.scipy.org/doc/scipy/reference/"),
                     link("Matplotlib Reference", "https://matplotlib.org/contents.html"),
                     link("SymPy Reference", "http://docs.sympy.org/latest/index.html"),
                     link("pandas Reference", "https://pandas.pydata.org/pandas-docs/stable/")});
    return {{"status", "ok"},
            {"protocol_version", protocol_version},
            {"implementation", "xinterp"},
            {"implementation_version", info.version},
            {"language_info", info.language},
            {"banner", info.banner},
            {"help_links", links},
            {"supported_features", features},
            {"debugger", has_debugger}}; // the name that it had before protocol 5.5
}

} // namespace xinterp::kernel
