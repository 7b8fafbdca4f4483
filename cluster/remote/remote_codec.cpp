#include "cluster/remote/remote_codec.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/base/codec.hpp"
#include "runtime/base/limits.hpp"

namespace omnicart::cluster {
namespace {

struct wire_command {
  std::uint64_t request = 0;
  entity_ref to;
  std::string command;
  caller asker;
  command_id id;
  std::uint64_t body = 0;
  std::optional<std::uint64_t> expected_version;
  std::optional<duration_ms> within;  // from being sent; none: no deadline
  duration_ms wait{0};
  bool repeatable = false;
  bool brief = false;
  std::optional<duration_ms> doubt;

  OMNICART_FIELDS(request, to, command, asker, id, body, expected_version, within, wait, repeatable, brief, doubt)
};

struct wire_failure {
  error_number number = 0;
  std::string detail;
  std::string data;

  OMNICART_FIELDS(number, detail, data)
};
struct wire_answer {
  std::uint64_t request = 0;
  std::optional<wire_failure> failure;
  std::string payload;
  std::uint64_t version = 0;
  bool replayed = false;

  OMNICART_FIELDS(request, failure, payload, version, replayed)
};

bool is_role(role as) {
  switch (as) {
    case role::guest:
    case role::shopper:
    case role::support:
    case role::admin:
    case role::system:
      return true;
  }
  return false;
}

bool makes_sense(const wire_command& said) {
  const bool named = !said.to.kind.empty() && said.to.kind.size() <= limits::kind_bytes_max &&
                     !said.to.id.empty() && said.to.id.size() <= limits::id_bytes_max;
  const bool timed = said.wait >= duration_ms{0} && said.wait <= remote_wait_max &&
                     (!said.within || *said.within >= duration_ms{0}) &&
                     (!said.doubt || (*said.doubt >= duration_ms{0} && *said.doubt <= doubt_max));
  return said.request != 0 && named && timed && is_role(said.asker.as);
}

// Without overflow, whatever a peer says.
timestamp_ms later(timestamp_ms now, duration_ms span) {
  const duration_ms left = timestamp_ms::max() - std::max(now, timestamp_ms{});
  return span < left ? now + span : timestamp_ms::max();
}

}  // namespace

std::string encode_command(std::uint64_t request, const envelope& message, timestamp_ms now) {
  wire_command said{.request = request,
                    .to = message.to,
                    .command = message.command,
                    .asker = message.asker,
                    .id = message.id,
                    .body = message.body,
                    .expected_version = message.expected_version,
                    .within = std::nullopt,
                    .wait = message.wait,
                    .repeatable = message.repeatable,
                    .brief = message.brief,
                    .doubt = message.doubt};
  if (message.deadline != timestamp_ms::max()) {
    said.within = std::max(message.deadline - now, duration_ms{0});
  }
  return codec::encode(said);
}

result<remote_command> decode_command(std::string_view bytes, timestamp_ms now) {
  auto said = codec::decode<wire_command>(bytes);
  if (!said) return fail(std::move(said.error()));
  if (!makes_sense(*said)) return fail(base_errc::malformed, "a command that makes no sense");
  remote_command read;
  read.request = said->request;
  read.message.to = std::move(said->to);
  read.message.command = std::move(said->command);
  read.message.asker = std::move(said->asker);
  read.message.id = said->id;
  read.message.body = said->body;
  read.message.expected_version = said->expected_version;
  if (said->within) read.message.deadline = later(now, *said->within);
  read.message.wait = said->wait;
  read.message.repeatable = said->repeatable;
  read.message.brief = said->brief;
  read.message.doubt = said->doubt;
  return read;
}

std::string encode_answer(std::uint64_t request, const answer& got) {
  wire_answer said{.request = request,
                   .failure = std::nullopt,
                   .payload = got.payload,
                   .version = got.version,
                   .replayed = got.replayed};
  if (got.failure) {
    said.failure = wire_failure{
        .number = got.failure->number, .detail = got.failure->detail, .data = got.failure->data};
  }
  return codec::encode(said);
}

result<remote_answer> decode_answer(std::string_view bytes) {
  auto said = codec::decode<wire_answer>(bytes);
  if (!said) return fail(std::move(said.error()));
  if (said->request == 0 || (said->failure && said->failure->number == 0)) {
    return fail(base_errc::malformed, "an answer that makes no sense");
  }
  remote_answer read;
  read.request = said->request;
  if (said->failure) {
    read.got.failure = error{.number = said->failure->number,
                             .detail = std::move(said->failure->detail),
                             .data = std::move(said->failure->data)};
  }
  read.got.payload = std::move(said->payload);
  read.got.version = said->version;
  read.got.replayed = said->replayed;
  return read;
}

}  // namespace omnicart::cluster
