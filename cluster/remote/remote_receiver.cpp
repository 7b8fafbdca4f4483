#include "cluster/remote/remote_receiver.hpp"

#include <utility>

#include "runtime/log.hpp"

namespace omnicart::cluster {

remote_receiver::remote_receiver(transport& net, message_sink& entrance, const clock& time,
                                 remote_receiver_limits limits,
                                 std::span<const envelope_format> formats)
    : net_(net), entrance_(entrance), time_(time), limits_(limits), formats_(formats) {}

void remote_receiver::attach() {
  formats_.attach(net_);
  net_.receive(channel::command,
               [this](node_id from, const std::string& bytes) { on_command(from, bytes); });
}

bool remote_receiver::admit(node_id from) {
  std::lock_guard lock(guard_);
  ++counts_.commands;
  auto& in_flight = in_flight_[from];
  const bool room = in_flight < limits_.in_flight_per_peer_max;
  if (room) {
    ++in_flight;
  } else {
    ++counts_.overloaded;
  }
  return room;
}

void remote_receiver::on_command(node_id from, std::string_view bytes) {
  auto read = formats_.of(from).decode_command(bytes, time_.wall());
  if (!read) {
    // Whose request it was is not known, so nobody can be told; a member of the cluster does not
    // send such things, and one line for the first of them is enough to find the build that does.
    std::lock_guard lock(guard_);
    if (counts_.malformed++ == 0) {
      log::error("a node sent a command that does not read",
                 {{"node", from}, {"why", read.error().detail}});
    }
    return;
  }
  if (!admit(from)) {
    answer full;
    full.failure =
        make_error(base_errc::overloaded, "too many commands of this node are under way");
    net_.send(from, channel::answer, formats_.of(from).encode_answer(read->request, full));
    return;
  }
  read->message.reply = [this, from, request = read->request](const answer& got) {
    on_answer(from, request, got);
  };
  if (read->message.doubt) read->message.doubt_as_of = time_.monotonic();
  entrance_.send(std::move(read->message));
}

void remote_receiver::on_answer(node_id to, std::uint64_t request, const answer& got) {
  const auto& format = formats_.of(to);
  std::string bytes = format.encode_answer(request, got);
  if (bytes.size() > limits_.answer_bytes_max) {
    answer unsaid;
    unsaid.failure = make_error(base_errc::unknown_outcome, "the answer is too long to be sent");
    bytes = format.encode_answer(request, unsaid);
  }
  const bool sent = net_.send(to, channel::answer, std::move(bytes));
  std::lock_guard lock(guard_);
  --in_flight_[to];
  if (!sent) ++counts_.lost_answers;
}

remote_receiver_counts remote_receiver::counts() const {
  std::lock_guard lock(guard_);
  return counts_;
}

}  // namespace omnicart::cluster
