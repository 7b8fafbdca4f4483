#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "http/server/request_parser.hpp"
#include "tests/fuzz/bodies.hpp"

namespace omnicart::fuzz {
namespace {

// Small, so that short inputs reach them.
http::server_limits small_limits() {
  http::server_limits limits;
  limits.uri_bytes_max = 64;
  limits.header_bytes_max = 512;
  limits.header_fields_max = 8;
  return limits;
}

struct seen_request {
  std::string method, target, fields, body;
  bool keep_alive = false;
  friend bool operator==(const seen_request&, const seen_request&) = default;
};

struct seen {
  std::vector<seen_request> requests;
  int refused = 0;  // HTTP status of the refusal that ended it
};

// What a connection does with a parser, without sockets: a head, its body, and so on to the first
// refusal.
class reader {
 public:
  void feed(std::string_view piece) {
    unread_ += piece;
    while (seen_.refused == 0 && step()) {
    }
  }
  seen take() { return std::move(seen_); }

 private:
  bool step() { return in_body_ ? step_body() : step_head(); }

  bool step_head() {
    http::parse_error failure;
    const auto length = parser_.find_head(unread_, limits_, failure);
    require(length <= unread_.size(), "a head ends inside the bytes there are");
    if (failure) return refuse(failure);
    if (length == 0) return false;
    const std::string head = unread_.substr(0, length);
    std::vector<http::name_value> fields;
    failure = parser_.parse(head, limits_, head_, fields);
    if (failure) return refuse(failure);
    unread_.erase(0, length);
    note(head, fields);
    body_left_ = head_.content_length.value_or(0);
    in_body_ = true;
    return true;
  }

  void note(std::string_view head, const std::vector<http::name_value>& fields) {
    require(fields.size() <= limits_.header_fields_max, "no more fields than the limit");
    require(head_.target.size() <= limits_.uri_bytes_max, "no target above the limit");
    require(!(head_.chunked && head_.content_length), "one framing, not two");
    require(inside(head, head_.method_name) && inside(head, head_.target), "views lie in the head");
    now_ = {.method = std::string(head_.method_name),
            .target = std::string(head_.target),
            .fields = {},
            .body = {},
            .keep_alive = head_.keep_alive};
    for (const auto& [name, value] : fields) {
      require(inside(head, name) && (value.empty() || inside(head, value)),
              "views lie in the head");
      require(value.find_first_of("\r\n") == value.npos, "a field's value is one line");
      now_.fields.append(name).append(": ").append(value).append("\n");
    }
  }

  static bool inside(std::string_view whole, std::string_view part) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
  }

  bool step_body() {
    bool done = false;
    if (head_.chunked) {
      http::parse_error failure;
      const auto used = parser_.read_chunks(unread_, now_.body, done, failure);
      require(used <= unread_.size(), "no more is consumed than there is");
      unread_.erase(0, used);
      if (failure) return refuse(failure);
    } else {
      const auto taken = std::min<std::uint64_t>(unread_.size(), body_left_);
      now_.body.append(unread_, 0, taken);
      unread_.erase(0, taken);
      body_left_ -= taken;
      done = body_left_ == 0;
    }
    if (!done) return false;
    seen_.requests.push_back(std::move(now_));
    parser_.reset();
    in_body_ = false;
    return true;
  }

  bool refuse(const http::parse_error& why) {
    require(why.status >= 400 && why.status < 600, "a refusal has an error's status");
    require(!why.code.empty() && !why.detail.empty(), "a refusal says why");
    seen_.refused = why.status;
    return false;
  }

  const http::server_limits limits_ = small_limits();
  http::request_parser parser_;
  http::request_head head_;  // its views are dead once the head is noted
  std::string unread_;
  bool in_body_ = false;
  std::uint64_t body_left_ = 0;
  seen_request now_;
  seen seen_;
};

// Pieces of 1 to `longest` bytes, by a generator seeded from the bytes (0: all in one piece).
seen read_in_pieces(std::string_view bytes, std::size_t longest) {
  reader one;
  std::uint32_t state = 2'166'136'261;  // FNV-1a's start
  while (!bytes.empty()) {
    state = (state ^ static_cast<unsigned char>(bytes.front())) * 16'777'619;
    const auto size = longest == 0 ? bytes.size() : 1 + (state >> 8) % longest;
    const auto piece = bytes.substr(0, size);
    one.feed(piece);
    bytes.remove_prefix(piece.size());
  }
  return one.take();
}

}  // namespace

void fuzz_http(const std::uint8_t* data, std::size_t size) {
  // Above this, what is still unread of a chunk's line counts against a limit of its own, and may
  // be refused in one cut and not in another.
  constexpr std::size_t compared_bytes_max = 4'096;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const seen whole = read_in_pieces(bytes, 0);
  if (size > compared_bytes_max) return;
  for (const std::size_t longest : {1, 3, 40}) {
    const seen cut = read_in_pieces(bytes, longest);
    require(cut.requests == whole.requests, "requests do not depend on how their bytes arrive");
    require((cut.refused == 0) == (whole.refused == 0), "neither does being refused");
  }
}

}  // namespace omnicart::fuzz
