#include "cluster/link/outbox.hpp"

#include <boost/test/unit_test.hpp>
#include <vector>

#include "cluster/link/backoff.hpp"
#include "cluster/link/frame.hpp"
#include "cluster/link/quiet_log.hpp"

namespace omnicart::cluster {
namespace outbox_test {

constexpr channel_limits small{
    {{64, 1'000}, {400, 1'000}, {400, 1'000}, {400, 1'000}, {400, 1'000}, {400, 1'000}}};

std::vector<frame> leaving(outbox& box, std::uint64_t& sequence) {
  std::string bytes;
  frame_reader reader(64);
  reader.expect(1, default_channel_limits);
  // A reader begins at 1: frames of later batches are read behind as many empty ones.
  std::vector<frame> all;
  for (std::uint64_t i = 1; i <= sequence; ++i) append_frame(bytes, 1, i, channel::link, "");
  const auto skipped = sequence;
  box.fill(bytes, 1, sequence);
  std::string_view left(bytes);
  while (true) {
    auto next = reader.take(left);
    BOOST_TEST_REQUIRE(next.has_value());
    if (!*next) break;
    all.push_back(std::move(**next));
  }
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(skipped));
  return all;
}

BOOST_AUTO_TEST_SUITE(link_outbox)

BOOST_AUTO_TEST_CASE(a_full_window_refuses_what_comes_and_keeps_what_waits) {
  outbox box(small);
  const std::string payload(136, 'x');  // 200 with its overhead
  for (int i = 0; i < 5; ++i)
    BOOST_TEST((box.push(channel::raft, payload) == outbox::verdict::taken));
  BOOST_TEST((box.push(channel::raft, payload) == outbox::verdict::full));
  BOOST_TEST(
      (box.push(channel::command, payload) == outbox::verdict::taken));  // a window of its own
  BOOST_TEST((box.push(channel::raft, std::string(401, 'x')) == outbox::verdict::too_long));
  BOOST_TEST(box.waiting_bytes() == 1'200u);
  BOOST_TEST(!box.has_room_again(channel::raft));
  std::uint64_t sequence = 0;
  BOOST_TEST(leaving(box, sequence).size() == 6u);
  BOOST_TEST(box.waiting_bytes() == 0u);
  BOOST_TEST(box.has_room_again(channel::raft));
  BOOST_TEST(!box.has_room_again(channel::raft));
  BOOST_TEST(!box.has_room_again(channel::command));
}

BOOST_AUTO_TEST_CASE(urgent_channels_leave_first_and_none_waits_for_ever) {
  channel_limits wide = small;
  for (auto& each : wide) each = {400 * 1024, std::size_t{64} << 20};
  outbox box(wide);
  for (int i = 0; i < 4; ++i) {
    for (const channel on : {channel::snapshot, channel::command, channel::answer, channel::raft}) {
      BOOST_TEST((box.push(on, std::string(200 * 1024, 'x')) == outbox::verdict::taken));
    }
  }
  std::uint64_t sequence = 0;
  std::vector<channel> order;
  for (const auto& each : leaving(box, sequence)) order.push_back(each.on);
  const std::vector<channel> wanted{channel::raft, channel::raft, channel::answer, channel::command,
                                    channel::snapshot};
  BOOST_TEST((order == wanted));
}

BOOST_AUTO_TEST_CASE(snapshots_leave_only_against_credit) {
  outbox box(small);
  std::uint64_t sequence = 0;
  std::size_t sent = 0;
  const auto drain = [&] {
    std::size_t before = 0;
    do {
      before = sent;
      for (const auto& each : leaving(box, sequence)) sent += each.payload.size();
    } while (sent != before);
  };
  for (int i = 0; i < 4; ++i) {
    BOOST_TEST(
        (box.push(channel::snapshot, std::string(300, 's')) == outbox::verdict::taken || sent > 0));
    drain();
  }
  BOOST_TEST(sent == 900u);  // the window is 1000 bytes
  BOOST_TEST((box.push(channel::raft, "r") == outbox::verdict::taken));
  drain();
  BOOST_TEST(sent == 901u);  // and holds up nobody else
  box.add_credit(200);
  drain();
  BOOST_TEST(sent == 1'201u);
  box.add_credit(SIZE_MAX);  // whatever the peer says
  for (int i = 0; i < 8; ++i) {
    box.push(channel::snapshot, std::string(300, 's'));
    drain();
  }
  BOOST_TEST(sent == 2'101u);
  box.reset();
  BOOST_TEST(box.waiting_bytes() == 0u);
}

BOOST_AUTO_TEST_CASE(waits_double_up_to_a_bound_with_a_spread) {
  backoff waits(duration_ms{20}, duration_ms{500});
  for (const int step : {20, 40, 80, 160, 320, 500, 500}) {
    backoff same = waits;
    BOOST_TEST(same.next(0).count() == step / 2);
    BOOST_TEST(waits.next(static_cast<std::uint64_t>(step - step / 2)).count() == step);
  }
  waits.reset();
  BOOST_TEST(waits.next(10).count() == 20);
}

BOOST_AUTO_TEST_CASE(a_flood_of_one_kind_is_one_line_a_second) {
  quiet_log lately;
  const quiet_log::time_point start{};
  BOOST_TEST(lately.take(ending::garbage, start).value() == 0u);
  for (int i = 0; i < 1'000; ++i)
    BOOST_TEST(!lately.take(ending::garbage, start + std::chrono::milliseconds(i)));
  BOOST_TEST(lately.take(ending::slow, start).value() == 0u);
  BOOST_TEST(lately.take(ending::garbage, start + std::chrono::seconds(1)).value() == 1'000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace outbox_test
}  // namespace omnicart::cluster
