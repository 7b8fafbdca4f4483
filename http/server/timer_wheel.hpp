#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace omnicart::http {

// Coarse deadlines of many connections: setting one is a store, and nothing is allocated. A
// deadline fires at most one tick late. An entry whose deadline moved to later is only looked at
// when its old slot comes round. One thread.
class timer_wheel {
 public:
  static constexpr std::uint64_t tick_ms = 50;

  class entry {
   public:
    entry() = default;
    entry(const entry&) = delete;
    entry& operator=(const entry&) = delete;

   protected:
    virtual ~entry() { unlink(); }
    // The deadline has passed; it is cleared. May set a new one, may destroy entries.
    virtual void expired() = 0;

   private:
    friend timer_wheel;
    void unlink() {
      if (next_ == nullptr) return;
      previous_->next_ = next_;
      next_->previous_ = previous_;
      next_ = previous_ = nullptr;
    }
    entry* previous_ = nullptr;
    entry* next_ = nullptr;
    std::uint64_t due_ = never;     // tick
    std::uint64_t linked_ = never;  // tick of the slot it stands in
  };

  timer_wheel() {
    for (auto& slot : slots_) slot.previous_ = slot.next_ = &slot;
  }

  // Fires when advance(t) is called with t >= at_ms. Replaces an earlier deadline.
  void set(entry& item, std::uint64_t at_ms) {
    item.due_ = at_ms / tick_ms + 1;
    if (item.next_ == nullptr || item.linked_ > item.due_) link(item);
  }
  void cancel(entry& item) { item.due_ = never; }
  // Before the entry or the wheel is destroyed.
  void forget(entry& item) { item.unlink(); }

  // Time in milliseconds of the same origin as set(); never goes back.
  void advance(std::uint64_t now_ms) {
    const auto target = now_ms / tick_ms;
    if (now_ == 0) now_ = target > 0 ? target - 1 : 0;
    while (now_ < target) {
      ++now_;
      turn();
    }
  }

 private:
  static constexpr std::uint64_t never = ~std::uint64_t{0};
  static constexpr std::size_t slot_count = 512;  // 25 s; longer deadlines go round again

  struct slot_head final : entry {
    void expired() override {}
  };

  static void append(entry& list, entry& item) {
    item.previous_ = list.previous_;
    item.next_ = &list;
    list.previous_->next_ = &item;
    list.previous_ = &item;
  }
  void link(entry& item) {
    item.unlink();
    if (item.due_ <= now_) item.due_ = now_ + 1;
    item.linked_ = item.due_ - now_ < slot_count ? item.due_ : now_ + slot_count - 1;
    append(slots_[item.linked_ % slot_count], item);
  }
  void turn() {
    slot_head passed;
    passed.previous_ = passed.next_ = &passed;
    entry& slot = slots_[now_ % slot_count];
    while (slot.next_ != &slot) {
      entry& item = *slot.next_;
      item.unlink();
      append(passed, item);
    }
    while (passed.next_ != &passed) {
      entry& item = *passed.next_;
      item.unlink();
      if (item.due_ == never) continue;
      if (item.due_ > now_) {
        link(item);
        continue;
      }
      item.due_ = never;
      item.expired();
    }
  }

  std::array<slot_head, slot_count> slots_;
  std::uint64_t now_ = 0;
};

}  // namespace omnicart::http
