#include "cli/live_screen.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"

namespace ddl::cli {

void LiveScreen::Draw(const std::string& block) {
  if (lines_ > 0) *out_ << "\x1b[" << lines_ << "A";
  // Without wrapping, a line that is too long stays one line.
  *out_ << "\r\x1b[J\x1b[?7l" << block << "\x1b[?7h" << std::flush;
  lines_ = static_cast<int>(std::count(block.begin(), block.end(), '\n'));
}

std::string Sparkline(const std::vector<double>& values, int width) {
  constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<double> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite),
               [](double value) { return std::isfinite(value); });
  if (finite.size() < 2 || width < 1) return "";
  const auto [low, high] = std::minmax_element(finite.begin(), finite.end());
  const double range = *high - *low;
  const size_t columns = std::min(finite.size(), static_cast<size_t>(width));
  std::string line;
  for (size_t i = 0; i < columns; ++i) {
    const double value = finite[i * (finite.size() - 1) / std::max<size_t>(1, columns - 1)];
    const double share = range > 0 ? (value - *low) / range : 0;
    absl::StrAppend(&line, kBlocks[std::min<size_t>(7, static_cast<size_t>(share * 8))]);
  }
  return line;
}

}  // namespace ddl::cli
