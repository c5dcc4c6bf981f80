"""Loading a diffusers pipeline from a local directory, and nothing but that directory.

Such a directory holds ``model_index.json``, which names the class of the pipeline and the library and class of each
component, and a folder for each component. The components are loaded one by one here: diffusers' own loader would run
Python files that lie beside them, and follow names in the README to other repositories.
"""

from __future__ import annotations

import inspect
import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from .base import ModelDirectoryError

INDEX = "model_index.json"
NAME = re.compile(r"[a-z]\w*", re.ASCII)


def is_pipeline_directory(directory: Path) -> bool:
    """Whether `directory` claims to hold a diffusers pipeline."""
    return (directory / INDEX).is_file()


def check_pipeline_directory(directory: Path) -> None:
    """Raises ModelDirectoryError unless `directory` holds a pipeline's index, its components, and safetensors."""
    if not directory.is_dir():
        raise ModelDirectoryError(f"{directory}: no such directory (models are loaded from local directories only)")
    _, components, _ = _index(directory)
    for name, kind in components.items():
        if kind and not (directory / name).is_dir():
            raise ModelDirectoryError(f"{directory}: lacks the folder {name}, which {INDEX} names")
    if not any(directory.glob("*/*.safetensors")):
        raise ModelDirectoryError(
            f"{directory}: has no .safetensors file in its folders; pickled weights can run code and are never loaded, "
            "save the pipeline with save_pretrained() to convert it"
        )


def load_pipeline(directory: Path, device: Any, dtype: Any) -> Any:
    """The pipeline in `directory`, on `device`, with weights of `dtype`.

    Raises ModelDirectoryError for what is no pipeline of diffusers and transformers classes, or lacks weights.
    """
    diffusers: Any = import_module("diffusers")

    class_name, components, options = _index(directory)
    pipeline_class: Any = getattr(diffusers, class_name, object)
    if not _is(pipeline_class, diffusers.DiffusionPipeline):
        version = diffusers.__version__
        raise ModelDirectoryError(f"{directory}: {class_name[:80]!r} is no pipeline of diffusers {version}")
    expected = {**inspect.signature(pipeline_class).parameters}
    parts: dict[str, Any] = {name: value for name, value in options.items() if name in expected}
    for name, kind in components.items():
        if name not in expected:
            raise ModelDirectoryError(f"{directory}: {class_name} has no component {name!r}")
        if kind:
            parts[name] = _component(directory / name, *kind, dtype)
    for name, parameter in expected.items():
        if name not in parts and parameter.default is parameter.empty:
            if name not in pipeline_class._optional_components:
                raise ModelDirectoryError(f"{directory}: lacks the component {name!r} of {class_name}")
            parts[name] = None
    return pipeline_class(**parts).to(device)


def _index(directory: Path) -> tuple[str, dict[str, tuple[str, str] | None], dict[str, Any]]:
    """The pipeline's class, the library and class of each component (None for one that is absent), and options."""
    try:
        index = json.loads((directory / INDEX).read_bytes())
        class_name = index["_class_name"]
        members = {name: value for name, value in index.items() if not name.startswith("_")}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise ModelDirectoryError(f"{directory}: has no readable {INDEX}, so it is no diffusers pipeline") from None
    if not isinstance(class_name, str):
        raise ModelDirectoryError(f"{directory}: needs code of its own, which is never run")
    components: dict[str, tuple[str, str] | None] = {}
    options: dict[str, Any] = {}
    for name, value in members.items():
        if not isinstance(value, list):
            options[name] = value
        elif value == [None, None]:
            components[name] = None
        elif len(value) == 2 and all(isinstance(part, str) for part in value) and NAME.fullmatch(name):
            components[name] = (value[0], value[1])
        else:
            raise ModelDirectoryError(f"{directory}: {INDEX} says nothing readable about {name[:80]!r}")
    return class_name, components, options


def _component(folder: Path, library: str, class_name: str, dtype: Any) -> Any:
    """What is in `folder`. Raises ModelDirectoryError unless it is a part that diffusers or transformers define."""
    import torch
    import transformers

    found = _class(folder, library, class_name)
    if _is(found, transformers.PreTrainedModel):
        kind = {"dtype": dtype, "trust_remote_code": False}
    elif _is(found, torch.nn.Module):
        kind = {"torch_dtype": dtype}
    else:
        trust = {"trust_remote_code": False} if library == "transformers" else {}
        return found.from_pretrained(folder, local_files_only=True, **trust)
    model, report = found.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, output_loading_info=True, **kind
    )
    missing = sorted(report["missing_keys"])
    if missing:
        # They would be filled with random numbers.
        raise ModelDirectoryError(f"{folder}: lacks weights: {', '.join(missing[:3])}")
    return model.eval()


def _is(found: Any, *parents: type) -> bool:
    return inspect.isclass(found) and issubclass(found, parents)


def _class(folder: Path, library: str, class_name: str) -> Any:
    import transformers

    diffusers: Any = import_module("diffusers")
    libraries: dict[str, Any] = {"diffusers": diffusers, "transformers": transformers}
    # Parts that only one family of pipelines has are named by the module of that family.
    module = libraries.get(library) or (
        getattr(diffusers.pipelines, library, None) if NAME.fullmatch(library) else None
    )
    found = getattr(module, class_name, None)
    if found is None and library == "transformers":
        # The name that image processors had before transformers 5.
        found = getattr(module, class_name.replace("FeatureExtractor", "ImageProcessor"), None)
    parts = (
        diffusers.ModelMixin,
        diffusers.SchedulerMixin,
        transformers.PreTrainedModel,
        transformers.PreTrainedTokenizerBase,
        transformers.ImageProcessingMixin,
        transformers.FeatureExtractionMixin,
        transformers.ProcessorMixin,
    )
    if not _is(found, *parts):
        raise ModelDirectoryError(
            f"{folder}: {class_name[:80]!r} of {library[:80]!r} is no component that diffusers {diffusers.__version__} "
            f"and transformers {transformers.__version__} have; other code is never run"
        )
    return found
