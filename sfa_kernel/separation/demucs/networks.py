"""One network as a file: how it was built, and its numbers.

Demucs' makers publish pickles, and a pickle may run any program when it is read. Here one is read by a reader
that knows the few names such a file needs and puts something inert in the place of every other; what it says is
then kept as safetensors, which hold numbers and text only. The notes in them are those of the makers' own
safetensors, so that these can be used as they are.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import re
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sfa_kernel.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["CLASSES", "Network", "read_pickle", "read_safetensors", "to_safetensors"]

CLASSES = ("demucs.htdemucs.HTDemucs", "demucs.hdemucs.HDemucs")
"""What a network may be."""

Array = np.ndarray[Any, np.dtype[Any]]

_STORAGES = {
    "HalfStorage": np.float16,
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "BoolStorage": np.bool_,
}
_STRUCTURE_LIMIT = 1 << 24  # bytes of a pickle without its tensors; real ones have a few ten thousand
_HEADER_LIMIT = 1 << 24  # bytes of the description that a safetensors file begins with


@dataclass(frozen=True)
class Network:
    """What a file of weights holds.

    Attributes
    ----------
    class_name
        One of `CLASSES`.
    args, kwargs
        What it was built with: numbers, text, fractions, and lists of them.
    state
        Its tensors by name.
    """

    class_name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    state: Mapping[str, Array]


def read_pickle(path: Path) -> Network:
    """Read a network as PyTorch saves it, without running anything the file asks for.

    Raises
    ------
    InputError
        When the file is damaged, or holds no network of Demucs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            package = _Unpickler(archive).load()
    except InputError:
        raise
    except Exception as error:
        # What a pickle of somebody's making leads to has no end of names.
        raise InputError(f"{path.name} cannot be read: it is damaged or no file of PyTorch.") from error
    return _network(path.name, package)


def _network(name: str, package: Any) -> Network:
    if not isinstance(package, dict):
        raise InputError(f"{name} holds no network.")
    klass, args, kwargs, state = (package.get(key) for key in ("klass", "args", "kwargs", "state"))
    if not (isinstance(klass, type) and issubclass(klass, _Inert) and klass.stands_for in CLASSES):
        raise InputError(f"{name} holds no network of Demucs that is known here.")
    if not (
        isinstance(args, list | tuple)
        and isinstance(kwargs, dict)
        and isinstance(state, dict)
        and all(isinstance(key, str) and isinstance(value, np.ndarray) for key, value in state.items())
    ):
        raise InputError(f"{name} does not hold a network in the form that Demucs has.")
    try:
        return Network(klass.stands_for, tuple(_plain(list(args))), _plain(kwargs), dict(state))
    except (TypeError, RecursionError):
        raise InputError(f"{name} was built with what is neither a number nor text.") from None


def _plain(value: Any) -> Any:
    """The value, when it is nothing but numbers, text, and lists and tables of them."""
    if value is None or type(value) in (bool, int, float, str, Fraction):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {key: _plain(item) for key, item in value.items()}
    raise TypeError


class _Inert:
    """Stands in the place of a class: takes everything, does nothing."""

    stands_for: ClassVar[str] = ""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, *_: Any) -> None:
        pass

    def __setitem__(self, *_: Any) -> None:
        pass

    def append(self, *_: Any) -> None:
        pass

    def extend(self, *_: Any) -> None:
        pass

    def add(self, *_: Any) -> None:
        pass


class _Unpickler(pickle.Unpickler):
    """Reads the structure of a file of PyTorch, and its tensors as NumPy arrays.

    Whatever a name in the file leads to belongs to this one reading: a file that tampers with it (a pickle may set
    attributes) tampers with nothing else.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        structures = [entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl")]
        if len(structures) != 1 or structures[0].file_size > _STRUCTURE_LIMIT:
            raise InputError("The file holds no network, or an unlikely large one.")
        self._prefix = structures[0].filename.removesuffix("data.pkl")
        if f"{self._prefix}byteorder" in archive.namelist() and self._read("byteorder") != b"little":
            raise InputError("The file is of a machine whose bytes are in another order.")
        self._storages: dict[str, Array] = {}
        super().__init__(io.BytesIO(self._read("data.pkl")))

    def find_class(self, module: str, name: str) -> Any:
        """What a name in the file leads to; nothing of this program or of Python's but what is listed here."""
        known: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): lambda *items: OrderedDict(*items),
            ("fractions", "Fraction"): lambda *args: _fraction(*args),
            ("torch._utils", "_rebuild_tensor_v2"): lambda *args: _tensor(*args),
            ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
        }
        if (module, name) in known:
            return known[module, name]
        if module == "torch" and name in _STORAGES:
            return name
        return type(name, (_Inert,), {"stands_for": f"{module}.{name}"})

    def persistent_load(self, pid: Any) -> Array:
        """The numbers of a storage: the file names them by a key."""
        kind, storage, key, _, count = pid
        if kind != "storage" or not re.fullmatch(r"\w+", str(key)):
            raise pickle.UnpicklingError
        if key not in self._storages:
            self._storages[key] = np.frombuffer(self._read(f"data/{key}"), _STORAGES[storage])
        return self._storages[key][:count]

    def _read(self, name: str) -> bytes:
        entry = self._archive.getinfo(f"{self._prefix}{name}")
        if entry.compress_type != zipfile.ZIP_STORED:  # PyTorch packs nothing, and what is packed can be a bomb
            raise pickle.UnpicklingError
        return self._archive.read(entry)


def _fraction(*args: Any) -> Fraction:
    """A fraction, written as text or as two numbers; short ones, for a long one would take for ever."""
    text = "/".join(map(str, args))
    if not re.fullmatch(r"\d{1,9}(/[1-9]\d{0,8})?", text):
        raise pickle.UnpicklingError
    return Fraction(text)


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Array:
    """A tensor: a view into a storage, which must hold all of it."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise pickle.UnpicklingError
    numbers = (offset, *shape, *strides)
    if len(shape) != len(strides) or any(type(number) is not int or number < 0 for number in numbers):
        raise pickle.UnpicklingError
    if 0 not in shape:
        last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
        # A stride of zero would let a few numbers stand for an endless tensor.
        if last >= storage.size or math.prod(shape) > storage.size:
            raise pickle.UnpicklingError
    view: Array = np.lib.stride_tricks.as_strided(
        storage[offset:], tuple(shape), tuple(stride * storage.itemsize for stride in strides), writeable=False
    )
    return view


def to_safetensors(network: Network) -> bytes:
    """A network as the bytes of a safetensors file."""
    from safetensors.numpy import save

    notes = {
        "klass": network.class_name,
        "args": json.dumps(_encoded(list(network.args))),
        "kwargs": json.dumps(_encoded(dict(network.kwargs))),
    }
    return save({name: np.ascontiguousarray(tensor) for name, tensor in network.state.items()}, metadata=notes)


def read_safetensors(data: bytes, name: str) -> Network:
    """Read a network from the bytes of a safetensors file.

    Parameters
    ----------
    data
        All of the file.
    name
        What to call it in a message.

    Raises
    ------
    InputError
        When the file is damaged, or holds no network of Demucs.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        length = int.from_bytes(data[:8], "little")
        if length > _HEADER_LIMIT:
            raise InputError(f"{name} is no file of safetensors.")
        notes = json.loads(data[8 : 8 + length])["__metadata__"]
        class_name = notes["klass"]
        args, kwargs = (_decoded(json.loads(notes[key])) for key in ("args", "kwargs"))
        state = load(data)
    except (ValueError, KeyError, TypeError, ZeroDivisionError, RecursionError, SafetensorError) as error:
        raise InputError(f"{name} cannot be read: it is damaged or holds no network of Demucs.") from error
    if class_name not in CLASSES or not isinstance(args, list) or not isinstance(kwargs, dict) or "structure" in notes:
        raise InputError(f"{name} holds no network of Demucs that is known here.")
    return Network(class_name, tuple(args), kwargs, state)


def _encoded(value: Any) -> Any:
    if isinstance(value, Fraction):
        return {"_type": "fraction", "numerator": value.numerator, "denominator": value.denominator}
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    return [_encoded(item) for item in value] if isinstance(value, list) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return Fraction(value["numerator"], value["denominator"])
        return {key: _decoded(item) for key, item in value.items()}
    return [_decoded(item) for item in value] if isinstance(value, list) else value
