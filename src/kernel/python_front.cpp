#include <xinterp/kernel/python_front.hpp>
#include <xinterp/services/questions.hpp>

#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

void PythonFront::write(Source source, Stream stream, std::string_view text) {
    parts_.pipes.drain(source.cell);
    parts_.outbox.write(source, stream, text);
}

void PythonFront::publish(Source source, std::string type, json content, json metadata,
                          std::vector<std::string> buffers) {
    parts_.pipes.drain(source.cell);
    std::size_t bytes = size_of(content) + size_of(metadata);
    for (const std::string& buffer : buffers) bytes += buffer.size();
    auto send = [this, source, type = std::move(type), content = std::move(content), metadata = std::move(metadata),
                 buffers = std::move(buffers)]() mutable {
        if (const Cell* cell = type == "execute_result" ? parts_.router->cell(source.cell) : nullptr) {
            const json text = content.value(json::json_pointer{"/data/text~1plain"}, json{});
            if (text.is_string()) parts_.history.set_output(cell->count, text);
        }
        if (type.starts_with("comm_"))
            parts_.comms->sent(source, type, std::move(content), std::move(metadata), std::move(buffers));
        else parts_.outputs->publish(source, type, std::move(content), std::move(metadata), std::move(buffers));
    };
    parts_.outbox.post(source.cell, std::move(send), bytes);
}

std::shared_ptr<modules::Answer> PythonFront::ask_input(Source source, modules::InputRequest request) {
    auto answer = std::make_shared<modules::Answer>();
    parts_.pipes.drain(source.cell);
    parts_.outbox.post(source.cell, [this, source, request = std::move(request), answer] {
        const auto info = parts_.registry.get(source.interpreter);
        const std::string label = source.interpreter == python::main_interpreter || !info ? "" : info->label();
        parts_.inputs->ask(source, label, request, answer);
    });
    return answer;
}

void PythonFront::withdraw_input(const std::shared_ptr<modules::Answer>& answer) {
    parts_.outbox.post(0, [this, answer] { parts_.inputs->withdraw(answer); });
}

std::shared_ptr<modules::Answer> PythonFront::command(Source source, json request) {
    auto answer = std::make_shared<modules::Answer>();
    parts_.outbox.post(source.cell, [this, source, request = std::move(request), answer] {
        try {
            carry_out(source, request, answer);
        } catch (const std::exception& error) { // the caller must not wait for an answer that never comes
            answer->give({{"ok", false}, {"error", error.what()}});
        }
    });
    return answer;
}

void PythonFront::carry_out(Source source, const json& request, const std::shared_ptr<modules::Answer>& answer) {
    const json name = request.is_object() ? request.value("command", json{}) : json{};
    if (name == "parent") {
        answer->give(parent_message(request.at("cell")));
    } else if (name == "cell_of") {
        answer->give(parts_.outputs->cell_of(request.at("header")));
    } else if (name == "about") {
        json about = kernel_info_content(parts_.info);
        about.update({{"session", parts_.server->session()}, {"connection_file", parts_.info.connection_file}});
        answer->give(std::move(about));
    } else if (name == "subshells") {
        const std::string own = subshell_id(parts_.outputs->parent(source.cell));
        answer->give({{"own", own.empty() ? json(nullptr) : json(own)}, {"all", parts_.subshells.ids()}});
    } else if (name == "debugger") {
        parts_.debugger->answer(source.interpreter, request,
                                [answer](json result) { answer->give(std::move(result)); });
    } else if (name == "history") {
        answer->give(parts_.history_file->command(request));
    } else {
        const xeus::xrequest_context* context = parts_.outputs->context(source.cell);
        const Commands::Caller caller{context == nullptr ? Client{} : parts_.client_of(context->header()), source.cell,
                                      source.interpreter, request.value("callers", std::vector<InterpreterId>{})};
        auto cancel = parts_.commands->run(request, caller, [this, answer](json result) {
            command_cancels_.erase(answer);
            answer->give(std::move(result));
        });
        if (cancel) command_cancels_.emplace(answer, std::move(cancel));
    }
}

void PythonFront::withdraw_command(const std::shared_ptr<modules::Answer>& answer) {
    parts_.outbox.post(0, [this, answer] {
        if (const auto cancel = command_cancels_.extract(answer)) cancel.mapped()();
        else if (const auto result = answer->wait_for(std::chrono::milliseconds{0})) parts_.commands->undo(*result);
    });
}

int PythonFront::process_pipe(Source source, Stream stream) {
    return ProcessOutput::is_in_place(stream) ? parts_.pipes.write_end(source, stream) : -1;
}

int PythonFront::worker_pipe(Source source, modules::PoolId pool, Stream stream) {
    return ProcessOutput::is_in_place(stream) ? parts_.pipes.open_for_worker(source, pool, stream) : -1;
}

// What Python code sees of the request that its cell, or callback, comes from. Of one that has ended, the header.
json PythonFront::parent_message(CellId id) const {
    const Cell* cell = parts_.router->cell(id);
    if (cell != nullptr && cell->callback) return cell->callback->parts;
    return {{"header", parts_.outputs->parent(id)},
            {"metadata", cell == nullptr ? json::object() : cell->request.metadata()},
            {"content", cell == nullptr ? json::object() : cell->request.content()}};
}

} // namespace xinterp::kernel
