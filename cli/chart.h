// Line charts as inline SVG, drawn here so that a report needs neither a network nor JavaScript.
// Pure.
#pragma once

#include <string>
#include <vector>

namespace ddl::cli {

struct ChartPoint {
  double x = 0;
  double y = 0;
  double low = 0;  // Of the band: smallest and largest over seeds.
  double high = 0;
};

struct ChartLine {
  std::string label;
  int style = 0;  // Colour and dash pattern; one for each arm, the same in every chart.
  std::vector<ChartPoint> points;
};

struct Chart {
  std::string id;  // Unique in the page.
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<ChartLine> lines;
};

// A <figure> with the drawing, its legend, and its numbers as a table behind a disclosure. Without
// points it says so instead of drawing.
std::string ChartHtml(const Chart& chart);

// Colours (for light and dark) and dash patterns of the styles, as CSS.
std::string ChartCss();

// 4 to 8 round numbers that cover [low, high]; one number if they are equal.
std::vector<double> Ticks(double low, double high);

std::string EscapeHtml(const std::string& text);

}  // namespace ddl::cli
