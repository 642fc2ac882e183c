#include "tests/docs/svg.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace ddl::figures {
namespace {

// A tenth of a point, without a negative zero.
std::string Number(double value) {
  const double tenths = std::round(value * 10);
  return absl::StrFormat("%g", tenths == 0 ? 0.0 : tenths / 10);
}

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string DashOf(const std::string& dash) {
  return dash.empty() ? "" : absl::StrCat(" stroke-dasharray=\"", dash, "\"");
}

}  // namespace

Drawing::Drawing(double width, double height, const std::string& title)
    : head_(
          absl::StrCat("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", Number(width),
                       " ", Number(height), "\" role=\"img\" font-family=\"system-ui,sans-serif\" ",
                       "font-size=\"14\">\n<title>", Escaped(title), "</title>\n<rect width=\"",
                       Number(width), "\" height=\"", Number(height), "\" fill=\"#ffffff\"/>\n")) {}

void Drawing::Line(Place from, Place to, const std::string& colour, double width,
                   const std::string& dash) {
  absl::StrAppend(&body_, "<line x1=\"", Number(from.x), "\" y1=\"", Number(from.y), "\" x2=\"",
                  Number(to.x), "\" y2=\"", Number(to.y), "\" stroke=\"", colour,
                  "\" stroke-width=\"", Number(width), "\"", DashOf(dash), "/>\n");
}

void Drawing::Arrow(Place from, Place to, const std::string& colour, double width) {
  constexpr double kHead = 10;
  constexpr double kHalfAngle = 0.4;
  Line(from, to, colour, width);
  const double angle = std::atan2(to.y - from.y, to.x - from.x);
  absl::StrAppend(&body_, "<polygon fill=\"", colour, "\" points=\"", Number(to.x), ",",
                  Number(to.y));
  for (const double side : {-kHalfAngle, kHalfAngle}) {
    absl::StrAppend(&body_, " ", Number(to.x - kHead * std::cos(angle + side)), ",",
                    Number(to.y - kHead * std::sin(angle + side)));
  }
  absl::StrAppend(&body_, "\"/>\n");
}

void Drawing::Curve(const std::vector<Place>& points, const std::string& colour,
                    const std::string& dash) {
  absl::StrAppend(&body_, "<polyline fill=\"none\" stroke=\"", colour, "\" stroke-width=\"2\"",
                  DashOf(dash), " points=\"");
  for (size_t i = 0; i < points.size(); ++i) {
    absl::StrAppend(&body_, i == 0 ? "" : " ", Number(points[i].x), ",", Number(points[i].y));
  }
  absl::StrAppend(&body_, "\"/>\n");
}

void Drawing::Box(Place corner, double width, double height, const std::string& fill,
                  const std::string& stroke) {
  absl::StrAppend(&body_, "<rect x=\"", Number(corner.x), "\" y=\"", Number(corner.y),
                  "\" width=\"", Number(width), "\" height=\"", Number(height),
                  "\" rx=\"4\" fill=\"", fill, "\" stroke=\"", stroke, "\"/>\n");
}

void Drawing::Dot(Place centre, const std::string& colour, double radius) {
  absl::StrAppend(&body_, "<circle cx=\"", Number(centre.x), "\" cy=\"", Number(centre.y),
                  "\" r=\"", Number(radius), "\" fill=\"", colour, "\"/>\n");
}

void Drawing::Text(Place at, const std::string& text, const std::string& anchor,
                   const std::string& colour) {
  absl::StrAppend(&body_, "<text x=\"", Number(at.x), "\" y=\"", Number(at.y), "\" text-anchor=\"",
                  anchor, "\" fill=\"", colour, "\">", Escaped(text), "</text>\n");
}

std::string Drawing::Svg() const { return absl::StrCat(head_, body_, "</svg>\n"); }

Plot::Plot(Drawing* drawing, Place top_left, Place bottom_right, Axis x, Axis y)
    : drawing_(drawing),
      top_left_(top_left),
      bottom_right_(bottom_right),
      x_(std::move(x)),
      y_(std::move(y)) {}

Place Plot::At(double x, double y) const {
  const double across = (x - x_.low) / (x_.high - x_.low);
  const double up = (y - y_.low) / (y_.high - y_.low);
  return {top_left_.x + across * (bottom_right_.x - top_left_.x),
          bottom_right_.y - up * (bottom_right_.y - top_left_.y)};
}

void Plot::DrawAxes() {
  constexpr char kGrid[] = "#dddddd";
  const auto ticks = [](const Axis& axis) {
    return std::lround((axis.high - axis.low) / axis.step);
  };
  for (int64_t i = 0; i <= ticks(x_); ++i) {
    const double x = x_.low + static_cast<double>(i) * x_.step;
    drawing_->Line(At(x, y_.low), At(x, y_.high), kGrid, 1);
    drawing_->Text({At(x, y_.low).x, bottom_right_.y + 18}, absl::StrFormat("%g", x), "middle",
                   kGrey);
  }
  for (int64_t i = 0; i <= ticks(y_); ++i) {
    const double y = y_.low + static_cast<double>(i) * y_.step;
    drawing_->Line(At(x_.low, y), At(x_.high, y), kGrid, 1);
    drawing_->Text({top_left_.x - 8, At(x_.low, y).y + 5}, absl::StrFormat("%g", y), "end", kGrey);
  }
  drawing_->Text({(top_left_.x + bottom_right_.x) / 2, bottom_right_.y + 40}, x_.label, "middle");
  drawing_->Text({top_left_.x, top_left_.y - 10}, y_.label);
}

void Plot::Band(double from, double to, const std::string& fill, const std::string& label) {
  const Place corner = At(from, y_.high);
  const Place end = At(to, y_.low);
  drawing_->Box(corner, end.x - corner.x, end.y - corner.y, fill);
  drawing_->Text({(corner.x + end.x) / 2, corner.y + 18}, label, "middle", kGrey);
}

void Plot::Curve(const std::vector<Place>& points, const std::string& colour,
                 const std::string& dash) {
  std::vector<Place> mapped;
  for (const Place& point : points) mapped.push_back(At(point.x, point.y));
  drawing_->Curve(mapped, colour, dash);
}

}  // namespace ddl::figures
