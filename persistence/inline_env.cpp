#include "persistence/inline_env.hpp"

#include <rocksdb/system_clock.h>

#include <atomic>
#include <string>

namespace omnicart::persistence {
namespace {

constexpr std::uint64_t start_us = 1'600'000'000'000'000;
constexpr std::int64_t us_per_second = 1'000'000;

class counted_clock final : public rocksdb::SystemClock {
 public:
  const char* Name() const override { return "omnicart.counted_clock"; }
  std::uint64_t NowMicros() override { return ++now_us_; }
  void SleepForMicroseconds(int micros) override { now_us_ += static_cast<std::uint64_t>(micros); }
  rocksdb::Status GetCurrentTime(std::int64_t* unix_time) override {
    *unix_time = static_cast<std::int64_t>(start_us) / us_per_second;
    return rocksdb::Status::OK();
  }
  std::string TimeToString(std::uint64_t time) override { return std::to_string(time); }

 private:
  std::atomic<std::uint64_t> now_us_{start_us};
};

class inline_env final : public rocksdb::EnvWrapper {
 public:
  explicit inline_env(const std::shared_ptr<rocksdb::FileSystem>& files)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
    file_system_ = files;
    system_clock_ = std::make_shared<counted_clock>();
  }
  const char* Name() const override { return "omnicart.inline_env"; }
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_inline_env(std::shared_ptr<rocksdb::FileSystem> files) {
  return std::make_unique<inline_env>(files);
}

}  // namespace omnicart::persistence
