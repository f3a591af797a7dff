// include/xinterp/protocol/wire.hpp: Jupyter messages as ZeroMQ frames: signature, parsing, serialization. No sockets
// here; a Signer may be used on one thread.
#pragma once

#include <xeus/xmessage.hpp>

#include <openssl/evp.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace xinterp::kernel {

using Frames = std::vector<std::string>;

/// HMAC of the connection file's scheme ("hmac-sha256"). An empty key signs nothing and accepts everything, as in
/// jupyter_client. Throws std::runtime_error for a scheme that OpenSSL does not know.
class Signer {
public:
    Signer(std::string key, const std::string& scheme);
    bool signs() const { return !key_.empty(); }
    /// Of the four JSON frames, in hexadecimal.
    std::string sign(const std::string& header, const std::string& parent, const std::string& metadata,
                     const std::string& content);

private:
    struct Free {
        void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
        void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
    };
    std::string key_;
    std::unique_ptr<EVP_MAC, Free> mac_;
    std::unique_ptr<EVP_MAC_CTX, Free> keyed_;
};

/// What came in: a message, or none and why; or a message whose header is sound and whose rest is not.
struct Received {
    std::optional<xeus::xmessage> message;
    std::string problem; ///< empty if there is none
    /// The first lone surrogate in the content, as it was written ("\\ud800"); empty if there is none. JSON has room
    /// for such halves of characters, text has not: in the message, U+FFFD stands for each.
    std::string lone_surrogate;
};

/// What every header and kernel_info say. xeus states its own; the kernel answers for what it does.
inline constexpr const char* protocol_version = "5.5";

/// The text under that name; empty if there is none.
std::string text(const nlohmann::json& object, const char* name);

/// As headers have it, in UTC: 2026-11-30T09:17:56.012345Z. (xeus omits zeros behind the point.)
std::string date(std::chrono::system_clock::time_point time);

/// How much memory a value takes, roughly.
std::size_t size_of(const nlohmann::json& value);
std::size_t size_of(const xeus::buffer_sequence& buffers);

/// Never throws on anything that a client can send.
Received parse(Frames frames, Signer& signer);
/// Headers made by xeus and by the kernel are made alike: session, user, protocol version and
/// date are the kernel's.
Frames serialize(const xeus::xmessage& message, const std::string& session, Signer& signer);
Frames serialize(const xeus::xpub_message& message, const std::string& session, Signer& signer);
/// Likewise, with the parent header as JSON already: many messages have the same.
Frames serialize(const std::string& topic, const nlohmann::json& header, const std::string& parent,
                 const nlohmann::json& content, const std::string& session, Signer& signer);

} // namespace xinterp::kernel
