#include "printing.hpp"

#include <xinterp/protocol/wire.hpp>

#include <chrono>
#include <stdexcept>
#include <string>

using namespace xinterp::kernel;
using nlohmann::json;

namespace {

const std::string header = R"({"msg_id":"1","msg_type":"kernel_info_request","session":"s"})";

Signer keyed() { return {"a key", "hmac-sha256"}; }

// A message as a client sends it, rightly signed.
Frames signed_message(const std::string& content = "{}", const std::string& head = header) {
    Signer signer = keyed();
    return {"client", "<IDS|MSG>", signer.sign(head, "{}", "{}", content), head, "{}", "{}", content};
}

Received received(Frames frames) {
    Signer signer = keyed();
    return parse(std::move(frames), signer);
}

// Why a message is dropped.
std::string rejection(Frames frames) {
    const Received got = received(std::move(frames));
    CHECK(!got.message);
    return got.problem;
}

// Why a message is answered with an error: its header is sound.
std::string complaint(Frames frames) {
    const Received got = received(std::move(frames));
    REQUIRE(got.message);
    CHECK(got.message->header() == json::parse(header));
    CHECK(got.message->content() == json::object());
    return got.problem;
}

std::string nested(int levels) { return std::string(static_cast<std::size_t>(levels), '['); }

// {"data": [[[...]]]} of that many levels, the object included.
std::string nested_object(int levels) {
    return R"({"data":)" + nested(levels - 1) + std::string(static_cast<std::size_t>(levels - 1), ']') + "}";
}

} // namespace

TEST_CASE("a date has all six digits behind its point") {
    using namespace std::chrono;
    const system_clock::time_point time = sys_days{2026y / November / 30} + 9h + 17min + 6s + microseconds{12'045};
    CHECK(date(time) == "2026-11-30T09:17:06.012045Z");
    CHECK(date(time - microseconds{12'045}) == "2026-11-30T09:17:06.000000Z");
}

TEST_CASE("a message has the date of its sending") {
    Signer signer = keyed();
    const std::string before = date(std::chrono::system_clock::now());
    const Frames frames = serialize("topic", json{{"msg_id", "1"}, {"date", "2026-11-30T09:17:06.12045Z"}}, "{}",
                                    json::object(), "s", signer);
    const std::string sent = json::parse(frames.at(3)).at("date");
    CHECK(before <= sent);
    CHECK(sent <= date(std::chrono::system_clock::now()));
}

TEST_CASE("a signature is the HMAC of the four parts") {
    // Python: hmac.new(b"key", b"The quick brown fox jumps over the lazy dog", "sha256").hexdigest()
    Signer signer{"key", "hmac-sha256"};
    const std::string expected = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
    CHECK(signer.sign("The quick ", "brown fox ", "jumps over ", "the lazy dog") == expected);
    CHECK(signer.sign("The quick ", "brown fox ", "jumps over ", "the lazy dog") == expected); // not used up
}

TEST_CASE("other digests than the usual one sign too, and an unknown scheme is refused") {
    Signer signer{"key", "hmac-md5"};
    CHECK(signer.sign("The quick brown fox ", "jumps ", "over ", "the lazy dog") == "80070713463e7749b90c2dc24911e275");
    CHECK_THROWS_WITH_AS((Signer{"key", "hmac-rot13"}),
                         "the connection file asks for signature scheme 'hmac-rot13', which is not known here; "
                         "hmac-sha256 is",
                         std::runtime_error);
    CHECK_THROWS_AS((Signer{"key", "sha256"}), std::runtime_error);
    CHECK_THROWS_AS((Signer{"key", "hmac-"}), std::runtime_error);
}

TEST_CASE("a message with the right signature comes in whole") {
    Frames frames = signed_message(R"({"code":"x"})");
    frames.emplace_back("a buffer");
    frames.emplace_back(std::string{"\0\xff", 2});
    const Received got = received(std::move(frames));
    CHECK(got.problem.empty());
    REQUIRE(got.message);
    CHECK(got.message->identities() == Lines{"client"});
    CHECK(got.message->header() == json::parse(header));
    CHECK(got.message->content() == json{{"code", "x"}});
    REQUIRE(got.message->buffers().size() == 2);
    CHECK(std::string{got.message->buffers()[0].begin(), got.message->buffers()[0].end()} == "a buffer");
    CHECK(std::string{got.message->buffers()[1].begin(), got.message->buffers()[1].end()} == std::string{"\0\xff", 2});
}

TEST_CASE("a wrong signature is rejected, whatever part of the message it does not fit") {
    for (const std::size_t changed : {std::size_t{3}, std::size_t{4}, std::size_t{5}, std::size_t{6}}) {
        Frames frames = signed_message();
        frames[changed] += " "; // still the same JSON
        CHECK(rejection(std::move(frames)) == "its signature is wrong");
    }
    Frames shortened = signed_message();
    shortened[2].resize(8);
    CHECK(rejection(std::move(shortened)) == "its signature is wrong");
    Frames other_key = signed_message();
    Signer other{"another key", "hmac-sha256"};
    other_key[2] = other.sign(header, "{}", "{}", "{}");
    CHECK(rejection(std::move(other_key)) == "its signature is wrong");
}

TEST_CASE("a missing signature is rejected") {
    Frames frames = signed_message();
    frames[2].clear();
    CHECK(rejection(std::move(frames)) == "it has no signature");
}

TEST_CASE("without a key nothing is signed, and a message needs no signature") {
    Signer signer{"", "hmac-sha256"};
    CHECK(signer.sign("a", "b", "c", "d").empty());
    CHECK(parse({"<IDS|MSG>", "", header, "{}", "{}", "{}"}, signer).message);
}

TEST_CASE("without a key a message that is signed all the same is accepted") {
    Signer signer{"", "hmac-sha256"};
    CHECK(parse(signed_message(), signer).message);
}

TEST_CASE("a truncated message is rejected") {
    const Frames whole = signed_message();
    CHECK(rejection({}) == "it has no <IDS|MSG> frame");
    CHECK(rejection({"client"}) == "it has no <IDS|MSG> frame");
    for (std::size_t count = 2; count < whole.size(); ++count)
        CHECK(rejection({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(count)}) ==
              "it is truncated: " + std::to_string(count - 2) + " frames after <IDS|MSG>, at least 5 expected");
}

TEST_CASE("a header that is no object is rejected") {
    CHECK(rejection(signed_message("{}", "[1, 2]")) == "the header is a JSON array, not an object");
    CHECK(rejection(signed_message("{}", "null")) == "the header is a JSON null, not an object");
    CHECK(rejection(signed_message("{}", "")) == "the header is not valid JSON in UTF-8");
    CHECK(rejection(signed_message("{}", "{\"msg_id\": \"\xff\"}")) == "the header is not valid JSON in UTF-8");
    CHECK(rejection(signed_message("{}", nested_object(501))) == "the header nests deeper than 500 levels");
}

TEST_CASE("a message with a sound header and a broken rest can be answered") {
    CHECK(complaint(signed_message("[]")) == "the content is a JSON array, not an object");
    CHECK(complaint(signed_message("{")) == "the content is not valid JSON in UTF-8");
    CHECK(complaint(signed_message("{} {}")) == "the content is not valid JSON in UTF-8");
    CHECK(complaint(signed_message("{\"code\": \"\xc3(\"}")) == "the content is not valid JSON in UTF-8");
    CHECK(complaint(signed_message(R"({"n": 1e999})")) == "the content is not valid JSON in UTF-8");
}

TEST_CASE("nesting is bounded before anything recurses into it") {
    CHECK(received(signed_message(nested_object(500))).problem.empty());
    CHECK(complaint(signed_message(nested_object(501))) == "the content nests deeper than 500 levels");
    CHECK(complaint(signed_message(nested(1'000'000))) == "the content nests deeper than 500 levels");
    // Brackets in a string nest nothing, escaped quotes do not end it.
    CHECK(received(signed_message(R"({"code": "\")" + nested(1000) + R"("})")).problem.empty());
}

TEST_CASE("a message that is written out reads back the same") {
    Signer signer = keyed();
    const json head{{"msg_id", "2"},
                    {"msg_type", "execute_reply"},
                    {"session", "s"},
                    {"username", "kernel"},
                    {"version", protocol_version}};
    const json content{{"text", "Zoë 🙂 \"quoted\"\n"}, {"n", 1.5}, {"none", nullptr}};
    const xeus::xmessage message{{"one", "two"},  head,    {{"msg_id", "1"}},
                                 {{"tag", true}}, content, {{'a', '\0', 'b'}, {}}};
    const Received back = parse(serialize(message, "s", signer), signer);
    REQUIRE(back.message);
    CHECK(back.problem.empty());
    CHECK(back.message->identities() == Lines{"one", "two"});
    json written = back.message->header();
    written.erase("date");
    CHECK(written == head);
    CHECK(back.message->parent_header() == json{{"msg_id", "1"}});
    CHECK(back.message->metadata() == json{{"tag", true}});
    CHECK(back.message->content() == content);
    CHECK(back.message->buffers() == xeus::buffer_sequence{{'a', '\0', 'b'}, {}});
}

TEST_CASE("a published message begins with its topic") {
    Signer signer = keyed();
    const xeus::xpub_message message{"kernel.stream", {{"msg_id", "2"}}, json::object(),
                                     json::object(),  {{"text", "x"}},   {}};
    const Frames frames = serialize(message, "s", signer);
    REQUIRE(frames.size() == 7);
    CHECK(frames[0] == "kernel.stream");
    CHECK(frames[1] == "<IDS|MSG>");
    CHECK(json::parse(frames[3]).at("msg_id") == "2");
    CHECK(frames[6] == R"({"text":"x"})");
}

TEST_CASE("session, user and protocol version are the kernel's, whatever a header says of them") {
    Signer signer = keyed();
    const json foreign{{"msg_id", "2"}, {"session", "xeus's"}, {"username", "me"}, {"version", "5.0"}};
    const xeus::xmessage message{{}, foreign, json::object(), json::object(), json::object(), {}};
    json written = json::parse(serialize(message, "the kernel's", signer)[2]);
    written.erase("date");
    CHECK(written ==
          json{{"msg_id", "2"}, {"session", "the kernel's"}, {"username", "kernel"}, {"version", protocol_version}});
}

TEST_CASE("a part that was left out is written as an empty object, as clients expect") {
    Signer signer = keyed();
    const xeus::xmessage message{{}, {{"msg_id", "2"}}, nullptr, nullptr, nullptr, {}};
    const Frames frames = serialize(message, "s", signer);
    CHECK(Frames{frames.begin() + 3, frames.end()} == Frames{"{}", "{}", "{}"});
}

TEST_CASE("text that is no UTF-8 is written with replacement characters, not refused") {
    Signer signer = keyed();
    const xeus::xmessage message{{},
                                 {{"msg_id", "2"}},
                                 json::object(),
                                 json::object(),
                                 {{"text", "a\xff"
                                           "b"}},
                                 {}};
    const Received back = parse(serialize(message, "s", signer), signer);
    REQUIRE(back.message);
    CHECK(back.message->content() == json{{"text", "a\uFFFDb"}});
}

TEST_CASE("an escaped surrogate without its partner is told of, and U+FFFD stands in its place") {
    const auto content = [](const std::string& written, const std::string& lone) {
        const Received got = received(signed_message(R"({"code":")" + written + R"("})"));
        REQUIRE(got.message);
        CHECK(got.problem.empty());
        CHECK(got.lone_surrogate == lone);
        return got.message->content().at("code").get<std::string>();
    };
    CHECK(content(R"(x = '\ud83d\ude00')", "") == "x = '\xF0\x9F\x98\x80'"); // a pair is one character
    CHECK(content(R"(\ud800)", R"(\ud800)") == "\xEF\xBF\xBD");
    CHECK(content(R"(a\uDC01b\ud83d)", R"(\uDC01)") == "a\xEF\xBF\xBD"
                                                       "b\xEF\xBF\xBD");
    CHECK(content(R"(\ud83d\ud83d\ude00)", R"(\ud83d)") == "\xEF\xBF\xBD\xF0\x9F\x98\x80");
    CHECK(content(R"(\\ud800)", "") == R"(\ud800)"); // text, not an escape
    CHECK(content(R"(\\\ud800)", R"(\ud800)") == "\\\xEF\xBF\xBD");
    CHECK(complaint(signed_message(R"({"code":"\ud800", nonsense)")) == "the content is not valid JSON in UTF-8");
    CHECK(complaint(signed_message(R"({"code":"\ud8")")) == "the content is not valid JSON in UTF-8");
}
