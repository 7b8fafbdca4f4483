#include "actors/cart/cart_lines.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "runtime/base/assert.hpp"
#include "runtime/base/heap_size.hpp"

namespace omnicart::cart {
namespace {

constexpr std::size_t unindexed_max = 16;

using text_sizes = std::array<std::uint16_t, 2>;

text_sizes sizes_of(const char* block) {
  text_sizes sizes;
  std::memcpy(&sizes, block, sizeof sizes);
  return sizes;
}

// Lines at list price are hashed without their price, so that all of a product's are found
// together: there are only as many as the price changed while the cart was open.
std::size_t hash_of(const line_key& key) {
  const std::size_t product = std::hash<std::string_view>{}(key.product);
  const std::uint64_t rest =
      key.list_price ? 0 : static_cast<std::uint64_t>(key.price_minor) * 2 + 1;
  return product ^ (rest * 0x9E3779B97F4A7C15U);
}

}  // namespace

packed_text::packed_text(std::string_view product, std::string_view name) {
  constexpr std::size_t most = std::numeric_limits<std::uint16_t>::max();
  ensure(product.size() <= most && name.size() <= most, "a line's texts are at most 65,535 bytes");
  const text_sizes sizes{static_cast<std::uint16_t>(product.size()),
                         static_cast<std::uint16_t>(name.size())};
  block_ = std::make_unique_for_overwrite<char[]>(sizeof sizes + product.size() + name.size());
  std::memcpy(block_.get(), &sizes, sizeof sizes);
  product.copy(block_.get() + sizeof sizes, product.size());
  name.copy(block_.get() + sizeof sizes + product.size(), name.size());
}

std::string_view packed_text::product() const {
  return {block_.get() + sizeof(text_sizes), sizes_of(block_.get())[0]};
}

std::string_view packed_text::name() const {
  const auto sizes = sizes_of(block_.get());
  return {block_.get() + sizeof sizes + sizes[0], sizes[1]};
}

std::size_t packed_text::heap_bytes() const {
  return heap_block_bytes(sizeof(text_sizes) + product().size() + name().size());
}

line_key key_of(const line& what) {
  return {what.text.product(), what.price_minor, what.list_price};
}

// Calls visit(line) -> bool (stop?) for candidates in ascending position: every line of a short
// list, else those whose slots follow the hash. Graves are among them.
template <class Visit>
void line_list::probe(std::string_view product, std::size_t hash, Visit visit) const {
  const auto seen = [&](const line& candidate) {
    ++probe_count_;
    return candidate.text.product() == product && visit(candidate);
  };
  if (slots_.empty()) {
    for (const auto& candidate : lines_) {
      if (seen(candidate)) return;
    }
    return;
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = hash & mask; slots_[at] != 0; at = (at + 1) & mask) {
    if (seen(lines_[slots_[at] - 1U])) return;
  }
}

const line* line_list::find(const line_key& key) const {
  const line* found = nullptr;
  probe(key.product, hash_of(key), [&](const line& candidate) {
    if (candidate.is_live() && key_of(candidate) == key) found = &candidate;
    return found != nullptr;
  });
  return found;
}

const line* line_list::find(std::uint32_t line_id) const {
  const auto at = std::lower_bound(lines_.begin(), lines_.end(), line_id,
                                   [](const line& l, std::uint32_t id) { return l.line_id < id; });
  return at != lines_.end() && at->line_id == line_id ? &*at : nullptr;
}

void line_list::each_at_list_price(std::string_view product,
                                   const std::function<void(const line&)>& visit) const {
  probe(product, hash_of({.product = product}), [&](const line& candidate) {
    if (candidate.list_price) visit(candidate);
    return false;
  });
}

const line* line_list::youngest_at_list_price(std::string_view product) const {
  const line* found = nullptr;
  each_at_list_price(product, [&](const line& candidate) {
    if (candidate.is_live() && (!found || candidate.line_id > found->line_id)) found = &candidate;
  });
  return found;
}

std::uint32_t line_list::add(const line_key& key, std::string_view name, std::uint32_t quantity) {
  if (const line* same = find(key)) {
    const std::uint32_t line_id = same->line_id;
    set_quantity(line_id, same->quantity + quantity);
    return line_id;
  }
  sweep();
  append({.text = {key.product, name},
          .price_minor = key.price_minor,
          .line_id = next_line_id_,
          .quantity = quantity,
          .list_price = key.list_price});
  return next_line_id_ - 1;
}

void line_list::set_quantity(std::uint32_t line_id, std::uint32_t quantity) {
  if (const line* found = find(line_id)) {
    change_quantity(lines_[static_cast<std::size_t>(found - lines_.data())], quantity);
  }
}

void line_list::change_quantity(line& what, std::uint32_t quantity) {
  const bool was_live = what.is_live();
  subtotal_minor_ -= what.total_minor();
  item_count_ -= what.quantity;
  what.quantity = quantity;
  subtotal_minor_ += what.total_minor();
  item_count_ += quantity;
  if (was_live && !what.is_live()) --live_;
  if (!was_live && what.is_live()) ++live_;
}

void line_list::restore(line what) {
  ensure(what.line_id >= next_line_id_, "line ids ascend");
  append(std::move(what));
}

void line_list::append(line what) {
  // Short lists grow by two: most carts stay short, and doubling would leave half of them empty.
  if (lines_.size() == lines_.capacity()) {
    lines_.reserve(lines_.size() + (lines_.size() < unindexed_max ? 2 : lines_.size() / 2));
  }
  next_line_id_ = what.line_id + 1;
  ++live_;
  subtotal_minor_ += what.total_minor();
  item_count_ += what.quantity;
  lines_.push_back(std::move(what));
  if (lines_.size() * 2 > slots_.size()) {
    rebuild_index();
  } else {
    index_line(lines_.size() - 1);
  }
}

void line_list::clear() {
  const std::uint32_t next = next_line_id_;
  *this = line_list{};
  next_line_id_ = next;
}

void line_list::skip_ids_to(std::uint32_t next_line_id) {
  next_line_id_ = std::max(next_line_id_, next_line_id);
}

// At least as many graves as lines have been dug since the last sweep of a long list, so the cost
// is O(1) each.
void line_list::sweep() {
  const std::size_t graves = lines_.size() - live_;
  if (graves == 0 || (lines_.size() > unindexed_max && graves <= live_)) return;
  std::erase_if(lines_, [](const line& l) { return !l.is_live(); });
  slots_.clear();
  rebuild_index();
}

// A grave of the same key gives up its slot: adding and removing one line for ever makes no chain.
void line_list::index_line(std::size_t position) {
  const line_key key = key_of(lines_[position]);
  const std::size_t mask = slots_.size() - 1;
  const auto is_usable = [&](std::uint16_t slot) {
    if (slot == 0) return true;
    const line& there = lines_[slot - 1U];
    return !there.is_live() && key_of(there) == key;
  };
  std::size_t at = hash_of(key) & mask;
  while (!is_usable(slots_[at])) at = (at + 1) & mask;
  slots_[at] = static_cast<std::uint16_t>(position + 1);
}

void line_list::rebuild_index() {
  if (lines_.size() <= unindexed_max) return;
  ensure(lines_.size() < std::numeric_limits<std::uint16_t>::max(), "positions fit their slots");
  std::size_t size = 4 * unindexed_max;
  while (size < lines_.size() * 4) size *= 2;
  slots_.assign(size, 0);
  for (std::size_t position = 0; position < lines_.size(); ++position) index_line(position);
}

std::size_t line_list::heap_bytes() const {
  std::size_t bytes = vector_heap_bytes(lines_) + vector_heap_bytes(slots_);
  for (const auto& l : lines_) bytes += l.text.heap_bytes();
  return bytes;
}

}  // namespace omnicart::cart
