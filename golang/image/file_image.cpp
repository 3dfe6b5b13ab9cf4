#include "golang/image/file_image.h"

#include "dwarf/module/loaded_file.h"

namespace inspect {

struct GoFileImage::State {
  std::unique_ptr<LoadedFile> memory;
  ModuleMap modules;
  std::vector<GoImage> images;
};

GoFileImage::GoFileImage(std::unique_ptr<State> state) : state_(std::move(state)) {}
GoFileImage::~GoFileImage() = default;

Result<std::unique_ptr<GoFileImage>> GoFileImage::open(const std::string &path, const FileSource &files,
                                                       LoadBias bias) {
  // Twice: the module and the memory each have a descriptor of their own.
  auto for_memory = files.open(path);
  if (!for_memory)
    return std::unexpected(for_memory.error());
  auto for_module = files.open(path);
  if (!for_module)
    return std::unexpected(for_module.error());
  auto memory = LoadedFile::open(std::move(*for_memory), bias);
  if (!memory)
    return std::unexpected(memory.error());
  auto state = std::make_unique<State>();
  state->memory = std::move(*memory);
  ModuleInput input{path, std::move(*for_module), state->memory->segments()};
  auto module = Module::open(std::move(input), *state->memory, files, {});
  if (!module)
    return std::unexpected(module.error());
  Module &opened = **module;
  state->modules.add(std::move(*module));
  auto image = open_go_image(opened, *state->memory);
  if (!image)
    return std::unexpected(image.error());
  state->images.push_back(std::move(*image));
  return std::unique_ptr<GoFileImage>(new GoFileImage(std::move(state)));
}

const GoImage &GoFileImage::image() const {
  return state_->images.front();
}

const std::vector<GoImage> &GoFileImage::images() const {
  return state_->images;
}

bool GoFileImage::position_independent() const {
  return state_->memory->position_independent();
}

ModuleMap &GoFileImage::modules() {
  return state_->modules;
}

const MemoryView &GoFileImage::memory() const {
  return *state_->memory;
}

} // namespace inspect
