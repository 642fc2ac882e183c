// Draws the figures of docs/paper.md into a folder: `ddl-figures docs/pictures`.
#include <iostream>

#include "common/files.h"
#include "tests/docs/figures.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: ddl-figures FOLDER\n";
    return 2;
  }
  for (const ddl::figures::Figure& figure : ddl::figures::AllFigures()) {
    const std::string path = std::string(argv[1]) + "/" + figure.name;
    const absl::Status status = ddl::WriteFileAtomically(path, figure.svg);
    if (!status.ok()) {
      std::cerr << status.message() << "\n";
      return 1;
    }
    std::cout << path << "\n";
  }
  return 0;
}
