#include "cli/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "cli/output.h"

namespace ddl::cli {
namespace {

constexpr double kWidth = 760;
constexpr double kHeight = 380;
constexpr double kLeft = 64;
constexpr double kRight = 28;
constexpr double kTop = 16;
constexpr double kBottom = 48;
constexpr size_t kTableRows = 60;

struct StyleOfLine {
  const char* light;
  const char* dark;
  const char* dash;
};
// Okabe and Ito's colours, which colour-blind readers tell apart; the dark ones are lightened.
constexpr std::array<StyleOfLine, 8> kStyles = {{
    {"#0072b2", "#56b4e9", ""},
    {"#d55e00", "#ff8a3d", "8 4"},
    {"#009e73", "#2fd6a3", "2 3"},
    {"#a8528a", "#e59ac6", "10 3 2 3"},
    {"#8a6d00", "#f0c400", "5 2"},
    {"#555555", "#bbbbbb", "1 4"},
    {"#7b3294", "#c9a0e0", "12 4"},
    {"#a6611a", "#dfb27a", "6 2 1 2 1 2"},
}};

std::string StyleClass(int style) {
  return absl::StrCat("s", style % static_cast<int>(kStyles.size()));
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void Include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

// Maps values to the drawing; the ranges are those of the ticks.
class Frame {
 public:
  explicit Frame(const Chart& chart) {
    for (const ChartLine& line : chart.lines) {
      for (const ChartPoint& point : line.points) {
        x_.Include(point.x);
        y_.Include(point.low);
        y_.Include(point.high);
      }
    }
    if (x_.empty()) return;
    x_ticks_ = Ticks(x_.low, x_.high);
    y_ticks_ = Ticks(y_.low, y_.high);
    x_.Include(x_ticks_.front());
    x_.Include(x_ticks_.back());
    y_.Include(y_ticks_.front());
    y_.Include(y_ticks_.back());
  }
  bool empty() const { return x_.empty(); }
  double X(double x) const { return kLeft + Share(x_, x) * (kWidth - kLeft - kRight); }
  double Y(double y) const { return kHeight - kBottom - Share(y_, y) * (kHeight - kTop - kBottom); }
  const std::vector<double>& x_ticks() const { return x_ticks_; }
  const std::vector<double>& y_ticks() const { return y_ticks_; }

 private:
  static double Share(const Range& range, double value) {
    return range.high > range.low ? (value - range.low) / (range.high - range.low) : 0.5;
  }
  Range x_;
  Range y_;
  std::vector<double> x_ticks_;
  std::vector<double> y_ticks_;
};

std::string TickText(double value) {
  return std::abs(value) >= 1000 ? CountText(value) : absl::StrFormat("%.4g", value);
}

std::string AxesSvg(const Chart& chart, const Frame& frame) {
  std::string svg;
  for (const double tick : frame.y_ticks()) {
    const double y = frame.Y(tick);
    absl::StrAppendFormat(&svg,
                          "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                          kLeft, kWidth - kRight, y, y, kLeft - 8, y + 4, TickText(tick));
  }
  for (const double tick : frame.x_ticks()) {
    const double x = frame.X(tick);
    absl::StrAppendFormat(&svg,
                          "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>"
                          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                          x, x, kTop, kHeight - kBottom, x, kHeight - kBottom + 18, TickText(tick));
  }
  absl::StrAppendFormat(&svg, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                        (kLeft + kWidth - kRight) / 2, kHeight - 8, EscapeHtml(chart.x_label));
  absl::StrAppendFormat(
      &svg, "<text transform=\"translate(14 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>\n",
      (kTop + kHeight - kBottom) / 2, EscapeHtml(chart.y_label));
  return svg;
}

std::string LineSvg(const ChartLine& line, const Frame& frame) {
  if (line.points.empty()) return "";
  std::string band;
  std::string path;
  bool has_band = false;
  for (const ChartPoint& point : line.points) {
    absl::StrAppendFormat(&path, "%s%.2f %.2f", path.empty() ? "M" : "L", frame.X(point.x),
                          frame.Y(point.y));
    absl::StrAppendFormat(&band, "%s%.2f %.2f", band.empty() ? "M" : "L", frame.X(point.x),
                          frame.Y(point.high));
    has_band = has_band || point.high > point.low;
  }
  for (auto point = line.points.rbegin(); point != line.points.rend(); ++point) {
    absl::StrAppendFormat(&band, "L%.2f %.2f", frame.X(point->x), frame.Y(point->low));
  }
  const std::string style = StyleClass(line.style);
  std::string svg;
  if (has_band) {
    absl::StrAppend(&svg, "<path class=\"band ", style, "\" d=\"", band, "Z\"/>\n");
  }
  absl::StrAppend(&svg, "<path class=\"line ", style, "\" d=\"", path, "\"><title>",
                  EscapeHtml(line.label), "</title></path>\n");
  if (line.points.size() <= 40) {
    for (const ChartPoint& point : line.points) {
      absl::StrAppendFormat(&svg, "<circle class=\"dot %s\" cx=\"%.2f\" cy=\"%.2f\" r=\"2.5\"/>",
                            style, frame.X(point.x), frame.Y(point.y));
    }
  }
  return svg;
}

std::string LegendHtml(const Chart& chart) {
  std::string html = "<ul class=\"legend\">";
  for (const ChartLine& line : chart.lines) {
    absl::StrAppend(
        &html, "<li><svg width=\"34\" height=\"10\" aria-hidden=\"true\"><path class=\"line ",
        StyleClass(line.style), "\" d=\"M1 5L33 5\"/></svg>", EscapeHtml(line.label), "</li>");
  }
  return html + "</ul>\n";
}

// At most kTableRows points of each line, the last among them.
std::string TableHtml(const Chart& chart) {
  std::string html =
      absl::StrCat("<details><summary>Numbers</summary><table><thead><tr><th>line</th><th>",
                   EscapeHtml(chart.x_label), "</th><th>", EscapeHtml(chart.y_label),
                   "</th><th>lowest</th><th>highest</th></tr></thead><tbody>\n");
  for (const ChartLine& line : chart.lines) {
    const size_t count = line.points.size();
    const size_t stride = (count + kTableRows - 1) / kTableRows;
    for (size_t i = 0; i < count; ++i) {
      if ((count - 1 - i) % std::max<size_t>(stride, 1) != 0) continue;
      const ChartPoint& point = line.points[i];
      absl::StrAppendFormat(
          &html, "<tr><td>%s</td><td>%.6g</td><td>%.5g</td><td>%.5g</td><td>%.5g</td></tr>\n",
          EscapeHtml(line.label), point.x, point.y, point.low, point.high);
    }
  }
  return html + "</tbody></table></details>\n";
}

}  // namespace

std::vector<double> Ticks(double low, double high) {
  if (!(high > low)) return {low};
  const double rough = (high - low) / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const auto first = static_cast<int64_t>(std::floor(low / step));
  const auto last = static_cast<int64_t>(std::ceil(high / step));
  for (int64_t i = first; i <= last; ++i) ticks.push_back(static_cast<double>(i) * step);
  return ticks;
}

std::string EscapeHtml(const std::string& text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string ChartHtml(const Chart& chart) {
  const Frame frame(chart);
  const std::string heading = absl::StrCat("<figure id=\"", chart.id, "\"><figcaption>",
                                           EscapeHtml(chart.title), "</figcaption>\n");
  if (frame.empty()) return heading + "<p>No points are recorded.</p></figure>\n";
  std::string html = heading;
  absl::StrAppendFormat(&html,
                        "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-title\">"
                        "<title id=\"%s-title\">%s</title>\n",
                        kWidth, kHeight, chart.id, chart.id, EscapeHtml(chart.title));
  absl::StrAppend(&html, AxesSvg(chart, frame));
  for (const ChartLine& line : chart.lines) absl::StrAppend(&html, LineSvg(line, frame));
  return absl::StrCat(html, "</svg>\n", LegendHtml(chart), TableHtml(chart), "</figure>\n");
}

std::string ChartCss() {
  std::string light;
  std::string dark;
  std::string classes;
  for (size_t i = 0; i < kStyles.size(); ++i) {
    absl::StrAppend(&light, "--s", i, ":", kStyles[i].light, ";");
    absl::StrAppend(&dark, "--s", i, ":", kStyles[i].dark, ";");
    absl::StrAppend(&classes, ".s", i, "{stroke:var(--s", i,
                    ");stroke-dasharray:", *kStyles[i].dash == 0 ? "none" : kStyles[i].dash,
                    "}.band.s", i, ",.dot.s", i, "{fill:var(--s", i, ")}\n");
  }
  return absl::StrCat(":root{", light, "}\n@media (prefers-color-scheme:dark){:root{", dark, "}}\n",
                      classes,
                      ".line{fill:none;stroke-width:2}.band{stroke:none;opacity:.18}"
                      ".dot{stroke:none}.grid{stroke:var(--grid);stroke-width:1}\n");
}

}  // namespace ddl::cli
