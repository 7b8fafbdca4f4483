#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace omnicart::http {

// Something to be done on a loop's thread. Owns itself from push on: exactly one of the two calls
// happens.
class parcel {
 public:
  virtual void deliver() = 0;  // on the loop's thread
  virtual void discard() = 0;  // the loop has ended; any thread
  parcel* next = nullptr;

 protected:
  ~parcel() = default;
};

// Many threads push, one loop drains. A burst of pushes wakes the loop once (an eventfd write costs
// more than the work it announces), and pushing allocates nothing.
class mailbox : public std::enable_shared_from_this<mailbox> {
 public:
  virtual ~mailbox() { close(); }

  // Any thread. After close() the parcel is discarded at once.
  void push(parcel* item) {
    parcel* head = head_.load(std::memory_order_relaxed);
    do {
      if (head == closed()) return item->discard();
      item->next = head;
    } while (!head_.compare_exchange_weak(head, item, std::memory_order_acq_rel));
    if (head == nullptr) wake();
  }

  // Discards what waits and all that comes later.
  void close() {
    parcel* item = head_.exchange(closed(), std::memory_order_acq_rel);
    while (item != nullptr && item != closed()) {
      parcel* following = item->next;
      item->discard();
      item = following;
    }
  }

  // On the loop's thread: delivers once the parcel being delivered has returned, or else soon.
  void push_after(parcel* item) {
    if (!draining_) return push(item);
    item->next = after_;
    after_ = item;
  }

  // The mailbox of the loop that runs on this thread, or null.
  static mailbox* current() { return current_; }

 protected:
  // Delivers in the order of pushing. On the loop's thread, never at the same time as close().
  void drain() {
    parcel* item = head_.load(std::memory_order_acquire);
    if (item == closed()) return;
    draining_ = true;
    deliver_all(head_.exchange(nullptr, std::memory_order_acq_rel));
    while (after_ != nullptr) deliver_all(std::exchange(after_, nullptr));
    draining_ = false;
  }

  // Makes the loop call drain() soon. Any thread.
  virtual void wake() = 0;

  static void set_current(mailbox* box) { current_ = box; }

 private:
  // The list has the newest first.
  static void deliver_all(parcel* item) {
    parcel* oldest = nullptr;
    while (item != nullptr) {
      parcel* following = item->next;
      item->next = oldest;
      oldest = item;
      item = following;
    }
    while (oldest != nullptr) {
      parcel* following = oldest->next;  // deliver() may free the parcel
      oldest->deliver();
      oldest = following;
    }
  }
  static parcel* closed() { return reinterpret_cast<parcel*>(&closed_mark_); }

  static inline char closed_mark_ = 0;
  static inline thread_local mailbox* current_ = nullptr;
  std::atomic<parcel*> head_{nullptr};
  parcel* after_ = nullptr;  // the loop's thread only
  bool draining_ = false;
};

}  // namespace omnicart::http
