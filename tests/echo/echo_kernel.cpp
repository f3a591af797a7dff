// A kernel without Python: its interpreters echo their cells. The tests of the server and router speak to it over real
// sockets. A cell's lines are
//   fail          the cell ends with an error        sleep SECONDS   it ends after that time, or when interrupted
//   anything else is written to stdout
#include <xinterp/kernel/kernel.hpp>

#include <xeus/xkernel_configuration.hpp>

#include <cstdio>
#include <sstream>

namespace {

using namespace xinterp;
using nlohmann::json;

class EchoBackend final : public kernel::Backend {
public:
    explicit EchoBackend(kernel::Kernel& kernel) : kernel_{kernel} {}

    void execute(kernel::LaneId lane, kernel::CellCode code, Reply reply) override {
        std::istringstream lines{code.code};
        double seconds = 0;
        bool fails = false;
        for (std::string line; std::getline(lines, line);) {
            if (line == "fail") fails = true;
            else if (line.starts_with("sleep ")) seconds = std::stod(line.substr(6));
            else if (!line.empty())
                kernel_.outbox().write({code.cell, lane.interpreter}, modules::Stream::out, line + "\n");
        }
        json content{{"status", "ok"}, {"payload", json::array()}, {"user_expressions", json::object()}};
        if (fails) content = kernel::error_reply("Failure", "the cell said so");
        const auto end = [this, cell = code.cell, lane, reply](json result) {
            running_.erase(lane);
            kernel_.outbox().post(cell, [reply, result = std::move(result)]() mutable { reply(std::move(result)); });
        };
        const auto timer = kernel_.timers().after(std::chrono::nanoseconds{static_cast<long long>(seconds * 1e9)},
                                                  [end, content] { end(content); });
        running_[lane] = [this, end, timer] {
            kernel_.timers().cancel(timer);
            end(kernel::error_reply("KeyboardInterrupt", ""));
        };
    }

    void ask(kernel::LaneId, std::string, json content, Reply reply) override {
        reply({{"status", "ok"}, {"asked", content}});
    }
    void call(modules::InterpreterId, modules::CellId, modules::SharedCommMessage, Reply reply) override {
        reply({{"status", "ok"}});
    }
    void ask_at_end(std::string, json) override {}
    std::size_t memory(modules::InterpreterId) override { return 0; }

    bool interrupt(kernel::LaneId lane) override {
        const auto running = running_.extract(lane);
        if (running) running.mapped()();
        return static_cast<bool>(running);
    }

    void interrupt_visitors(modules::InterpreterId) override {}
    void interrupt_threads_of(modules::CellId) override {}
    std::size_t references(modules::InterpreterId) override { return 0; }
    void create(const python::Configuration&,
                std::function<void(std::variant<modules::InterpreterId, std::string>)> done) override {
        done(++last_);
    }
    void close(modules::InterpreterId, modules::CellId, std::function<void(std::string)> done) override { done({}); }

private:
    kernel::Kernel& kernel_;
    modules::InterpreterId last_ = 0;
    std::map<kernel::LaneId, std::function<void()>> running_;
};

} // namespace

int main(int argc, char* argv[]) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: xinterp-echo -f CONNECTION_FILE\n");
        return 2;
    }
    python::Registry registry;
    const auto configuration = xeus::load_configuration(argv[2]);
    kernel::Kernel kernel{std::get<xeus::xkernel_configuration>(configuration),
                          {"0",
                           "echo",
                           {{"name", "echo"}, {"version", "0"}, {"mimetype", "text/plain"}, {"file_extension", ".txt"}},
                           false},
                          registry};
    EchoBackend backend{kernel};
    kernel.set_backend(backend, [&kernel] { kernel.stop(); });
    kernel.serve();
    return 0;
}
