// Drawings as SVG text: a page of shapes in points, and a plot that maps numbers onto it. Pure; the
// same calls give the same bytes on every machine, because coordinates are rounded to a tenth.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace ddl::figures {

struct Place {
  double x = 0;
  double y = 0;
};

// Colours that colour-blind readers tell apart (Okabe and Ito).
inline constexpr char kBlue[] = "#0072b2";
inline constexpr char kOrange[] = "#d55e00";
inline constexpr char kGreen[] = "#009e73";
inline constexpr char kPurple[] = "#a8528a";
inline constexpr char kGrey[] = "#666666";
inline constexpr char kBlack[] = "#1b1b1b";

class Drawing {
 public:
  // `title` is what a screen reader says.
  Drawing(double width, double height, const std::string& title);

  void Line(Place from, Place to, const std::string& colour, double width = 2,
            const std::string& dash = "");
  void Arrow(Place from, Place to, const std::string& colour, double width = 2);
  void Curve(const std::vector<Place>& points, const std::string& colour,
             const std::string& dash = "");
  void Box(Place corner, double width, double height, const std::string& fill,
           const std::string& stroke = "none");
  void Dot(Place centre, const std::string& colour, double radius = 4);
  // `anchor` is start, middle or end.
  void Text(Place at, const std::string& text, const std::string& anchor = "start",
            const std::string& colour = kBlack);

  std::string Svg() const;  // Ends with a newline.

 private:
  std::string body_;
  std::string head_;
};

// Axes with ticks at whole multiples of a step, on a part of a drawing.
class Plot {
 public:
  struct Axis {
    double low = 0;
    double high = 1;
    double step = 0.5;  // Of ticks.
    std::string label;
  };
  // The plot's area is [left, right] x [top, bottom] of the drawing, y downwards.
  Plot(Drawing* drawing, Place top_left, Place bottom_right, Axis x, Axis y);

  void DrawAxes();
  Place At(double x, double y) const;
  // A band from x to x over the whole height, below everything drawn after it.
  void Band(double from, double to, const std::string& fill, const std::string& label);
  void Curve(const std::vector<Place>& points, const std::string& colour,
             const std::string& dash = "");

 private:
  Drawing* drawing_;
  Place top_left_;
  Place bottom_right_;
  Axis x_;
  Axis y_;
};

}  // namespace ddl::figures
