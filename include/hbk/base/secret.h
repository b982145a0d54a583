// A password or key: wiped from memory when it goes, and without any way to print it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace hbk {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  ~Secret() { Wipe(); }
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      Wipe();
      value_ = other.value_;
    }
    return *this;
  }
  // A copy, then a wipe: a moved std::string may leave a short text behind.
  // NOLINTNEXTLINE(performance-move-constructor-init)
  Secret(Secret&& other) noexcept : value_(other.value_) { other.Wipe(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      value_ = other.value_;
      other.Wipe();
    }
    return *this;
  }

  [[nodiscard]] bool empty() const { return value_.empty(); }
  // The one way to the text; the name makes every use easy to find.
  [[nodiscard]] const std::string& Reveal() const { return value_; }

 private:
  void Wipe() {
    volatile char* p = value_.data();
    for (size_t i = 0; i < value_.size(); ++i)
      p[i] = 0;
    value_.clear();
  }

  std::string value_;
};

}  // namespace hbk
