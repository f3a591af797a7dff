#include <xinterp/protocol/wire.hpp>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <format>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <variant>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

constexpr std::string_view delimiter = "<IDS|MSG>";
// Far more than any front end nests, far less than what overflows the stack when it is written out again.
constexpr int deepest_nesting = 500;

bool nests_too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            else if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest_nesting) return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

// The code unit that an escape (\\uXXXX) at that place stands for; 0: there is none.
unsigned escaped_unit(std::string_view text, std::size_t at) {
    unsigned unit = 0;
    if (!text.substr(at).starts_with("\\u") || text.size() < at + 6) return 0;
    const auto [end, error] = std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
    return error == std::errc{} && end == text.data() + at + 6 ? unit : 0;
}

bool is_surrogate(unsigned unit, unsigned first) { return unit >= first && unit < first + 0x400; }

// Puts U+FFFD in the place of each escaped surrogate that has no partner; returns the first of them.
std::string replace_lone_surrogates(std::string& text) {
    std::string first;
    for (std::size_t i = text.find('\\'); i != std::string::npos; i = text.find('\\', i)) {
        const unsigned unit = escaped_unit(text, i);
        const bool is_high = is_surrogate(unit, 0xD800);
        if (is_high && is_surrogate(escaped_unit(text, i + 6), 0xDC00)) {
            i += 12;
        } else if (is_high || is_surrogate(unit, 0xDC00)) {
            if (first.empty()) first = text.substr(i, 6);
            text.replace(i, 6, "\\ufffd");
            i += 6;
        } else {
            i += 2;
        }
    }
    return first;
}

// The JSON object of a frame, or why it is none.
std::variant<json, std::string> parse_object(std::string& frame, const std::string& what, std::string& lone_surrogate) {
    if (nests_too_deep(frame))
        return "the " + what + " nests deeper than " + std::to_string(deepest_nesting) + " levels";
    json value = json::parse(frame, nullptr, false);
    if (value.is_discarded()) {
        lone_surrogate = replace_lone_surrogates(frame);
        if (!lone_surrogate.empty()) value = json::parse(frame, nullptr, false);
    }
    if (value.is_discarded()) return "the " + what + " is not valid JSON in UTF-8";
    if (!value.is_object()) return "the " + what + " is a JSON " + std::string{value.type_name()} + ", not an object";
    return value;
}

std::string dump(const json& value) {
    return value.is_null() ? "{}" : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string stamp(json header, const std::string& session) {
    header["session"] = session;
    header["username"] = "kernel";
    header["version"] = protocol_version;
    header["date"] = date(std::chrono::system_clock::now());
    return dump(header);
}

void append(Frames& frames, std::array<std::string, 4> parts, Signer& signer) {
    frames.emplace_back(delimiter);
    frames.push_back(signer.sign(parts[0], parts[1], parts[2], parts[3]));
    for (std::string& part : parts) frames.push_back(std::move(part));
}

Frames serialize(Frames frames, const xeus::xmessage_base& message, const std::string& session, Signer& signer) {
    append(frames,
           {stamp(message.header(), session), dump(message.parent_header()), dump(message.metadata()),
            dump(message.content())},
           signer);
    for (const xeus::binary_buffer& buffer : message.buffers()) frames.emplace_back(buffer.begin(), buffer.end());
    return frames;
}

} // namespace

Signer::Signer(std::string key, const std::string& scheme) : key_{std::move(key)} {
    if (key_.empty()) return;
    const std::string digest = scheme.starts_with("hmac-") ? scheme.substr(5) : "";
    mac_.reset(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    keyed_.reset(EVP_MAC_CTX_new(mac_.get()));
    std::string name = digest;
    const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
                                OSSL_PARAM_construct_end()};
    if (digest.empty() || EVP_MAC_init(keyed_.get(), reinterpret_cast<const unsigned char*>(key_.data()), key_.size(),
                                       parameters.data()) != 1)
        throw std::runtime_error{"the connection file asks for signature scheme '" + scheme +
                                 "', which is not known here; hmac-sha256 is"};
}

std::string Signer::sign(const std::string& header, const std::string& parent, const std::string& metadata,
                         const std::string& content) {
    if (key_.empty()) return {};
    const std::unique_ptr<EVP_MAC_CTX, Free> context{EVP_MAC_CTX_dup(keyed_.get())};
    for (const std::string* part : {&header, &parent, &metadata, &content})
        EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(part->data()), part->size());
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    std::size_t size = 0;
    EVP_MAC_final(context.get(), digest.data(), &size, digest.size());
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4U];
        text += digits[digest[i] & 15U];
    }
    return text;
}

std::string text(const json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string date(std::chrono::system_clock::time_point time) {
    return std::format("{:%FT%TZ}", std::chrono::floor<std::chrono::microseconds>(time));
}

std::size_t size_of(const json& value) {
    std::size_t bytes = sizeof value;
    if (value.is_string()) return bytes + value.get_ref<const std::string&>().size();
    if (value.is_object())
        for (const auto& [name, member] : value.items()) bytes += sizeof(std::string) + name.size() + size_of(member);
    else if (value.is_array())
        for (const json& element : value) bytes += size_of(element);
    return bytes;
}

std::size_t size_of(const xeus::buffer_sequence& buffers) {
    std::size_t bytes = 0;
    for (const xeus::binary_buffer& buffer : buffers) bytes += buffer.size();
    return bytes;
}

Received parse(Frames frames, Signer& signer) {
    const auto mark = std::ranges::find(frames, delimiter);
    if (mark == frames.end()) return {std::nullopt, "it has no <IDS|MSG> frame", {}};
    if (std::distance(mark, frames.end()) < 6)
        return {std::nullopt,
                "it is truncated: " + std::to_string(std::distance(mark, frames.end()) - 1) +
                    " frames after <IDS|MSG>, at least 5 expected",
                {}};
    const std::string& signature = mark[1];
    const std::string expected = signer.sign(mark[2], mark[3], mark[4], mark[5]);
    const bool right = !signer.signs() || (signature.size() == expected.size() &&
                                           CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0);
    if (!right) return {std::nullopt, signature.empty() ? "it has no signature" : "its signature is wrong", {}};

    std::array<json, 4> parts;
    static const std::array<std::string, 4> names{"header", "parent header", "metadata", "content"};
    std::string problem, lone_surrogate;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto parsed = parse_object(mark[2 + static_cast<std::ptrdiff_t>(i)], names[i], lone_surrogate);
        if (auto* value = std::get_if<json>(&parsed)) {
            parts[i] = std::move(*value);
        } else {
            problem = std::get<std::string>(parsed);
            if (i == 0) return {std::nullopt, problem, {}};
            parts[i] = json::object();
        }
        if (names[i] != "content") lone_surrogate.clear();
    }
    xeus::buffer_sequence buffers;
    for (auto frame = mark + 6; frame != frames.end(); ++frame) buffers.emplace_back(frame->begin(), frame->end());
    return {xeus::xmessage{Frames{frames.begin(), mark}, std::move(parts[0]), std::move(parts[1]), std::move(parts[2]),
                           std::move(parts[3]), std::move(buffers)},
            problem, lone_surrogate};
}

Frames serialize(const xeus::xmessage& message, const std::string& session, Signer& signer) {
    return serialize(message.identities(), message, session, signer);
}

Frames serialize(const xeus::xpub_message& message, const std::string& session, Signer& signer) {
    return serialize(Frames{message.topic()}, message, session, signer);
}

Frames serialize(const std::string& topic, const json& header, const std::string& parent, const json& content,
                 const std::string& session, Signer& signer) {
    Frames frames{topic};
    append(frames, {stamp(header, session), parent, "{}", dump(content)}, signer);
    return frames;
}

} // namespace xinterp::kernel
