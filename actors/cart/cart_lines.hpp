#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

// The lines of a cart, packed: a shop holds a hundred thousand carts in memory, most with a handful
// of lines.
namespace omnicart::cart {

// Two texts in one block: a pointer instead of two strings. Each at most 65,535 bytes.
class packed_text {
 public:
  packed_text(std::string_view product, std::string_view name);
  std::string_view product() const;
  std::string_view name() const;
  packed_text clone() const { return {product(), name()}; }
  std::size_t heap_bytes() const;

 private:
  std::unique_ptr<char[]>
      block_;  // sizes as two uint16 of this machine, product, name; never stored
};

// Prices are in minor units of the cart's one currency. A removed line has quantity 0.
struct line {
  packed_text text;
  std::int64_t price_minor = 0;
  std::uint32_t line_id = 0;
  std::uint32_t quantity = 0;
  bool list_price = true;

  bool is_live() const { return quantity > 0; }
  std::int64_t total_minor() const { return price_minor * quantity; }
  line clone() const { return {text.clone(), price_minor, line_id, quantity, list_price}; }
};

// What makes two additions the same line.
struct line_key {
  std::string_view product;
  std::int64_t price_minor = 0;
  bool list_price = true;
  friend auto operator<=>(const line_key&, const line_key&) = default;
};
line_key key_of(const line& what);

// Lines in the order they were added, with kept totals. Line ids ascend from 1 and are never
// reused. Beyond 16 lines a hash index finds a line by key in O(1); by id it is a binary search
// over integers. Adding is O(1) amortised, removing O(1): a removed line stays as a grave until an
// addition sweeps them. Totals are the caller's to keep within 64 bits. Pointers are good until the
// next change.
class line_list {
 public:
  const line* find(const line_key& key) const;
  const line* find(std::uint32_t line_id) const;  // living or in its grave
  // The youngest line of a product at list price; nullptr when there is none.
  const line* youngest_at_list_price(std::string_view product) const;
  // Calls `visit` for every line of the product at list price; graves that are still there may be
  // among them.
  void each_at_list_price(std::string_view product,
                          const std::function<void(const line&)>& visit) const;

  // To the line of that key, or a new one at the end. Returns its id.
  std::uint32_t add(const line_key& key, std::string_view name, std::uint32_t quantity);
  void set_quantity(std::uint32_t line_id,
                    std::uint32_t quantity);  // 0 removes; an unknown line: nothing
  // Takes a line back with its id, which must be above all there are. For snapshots and repricing.
  void restore(line what);
  void clear();  // ids go on
  void skip_ids_to(std::uint32_t next_line_id);

  const std::vector<line>& with_graves() const { return lines_; }
  std::size_t size() const { return live_; }
  std::int64_t subtotal_minor() const { return subtotal_minor_; }
  std::int64_t item_count() const { return item_count_; }
  std::uint32_t next_line_id() const { return next_line_id_; }
  std::size_t heap_bytes() const;
  // Lines looked at by searches so far; for tests of the promise above.
  std::uint32_t probe_count() const { return probe_count_; }

 private:
  template <class Visit>
  void probe(std::string_view product, std::size_t hash, Visit visit) const;
  void append(line what);
  void sweep();
  void index_line(std::size_t position);
  void rebuild_index();
  void change_quantity(line& what, std::uint32_t quantity);

  std::vector<line> lines_;
  std::vector<std::uint16_t> slots_;  // position + 1; open addressing; empty for short lists
  std::int64_t subtotal_minor_ = 0;
  std::int64_t item_count_ = 0;
  std::uint32_t live_ = 0;
  std::uint32_t next_line_id_ = 1;
  mutable std::uint32_t probe_count_ = 0;
};

}  // namespace omnicart::cart
