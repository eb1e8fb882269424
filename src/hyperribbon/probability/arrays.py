"""Where arrays enter the library: any kind is converted to numpy, or refused in one line."""

import math

import numpy as np

from hyperribbon.errors import DataError

_NUMBER = int | float | np.number


def as_numpy(array, name: str) -> np.ndarray:
    """Convert any array of real numbers to a numpy array of the same dtype.

    Floating-point types that numpy or numba lack (bfloat16, float16) become float32, types of
    more than 64 bits become float64, and the byte order becomes that of this machine.

    Parameters
    ----------
    array : a numpy, torch (any device, with or without gradients), dask, zarr, xarray or pandas
        array, or any other that numpy can read or that supports DLPack; or a list of arrays or
        of numbers
    name : what to call the array in errors

    Raises
    ------
    DataError
        If entries are masked, missing or not real numbers, or the array cannot be read.
    """
    if type(array) is not np.ndarray:
        kind = type(array).__name__
        try:
            array = np.asarray(_unwrapped(array, name))
        except DataError:
            raise
        except (TypeError, ValueError, RuntimeError, BufferError) as error:  # e.g. a ragged list
            reason = str(error).partition("\n")[0]
            raise DataError(f"{name}: not an array of numbers ({reason})") from None
        if array.dtype == object and all(isinstance(entry, int) for entry in array.flat):
            array = _large_integers(array, name)
        if array.dtype == object and not array.ndim:
            raise DataError(f"{name}: {kind}, expected an array of real numbers")
    if array.dtype.name == "bfloat16":  # from JAX
        array = array.astype(np.float32)
    if array.dtype.kind not in "buif":
        raise _not_real(array, name)
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        return array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def as_float64(array, name: str) -> np.ndarray:
    """As `as_numpy`, in float64; not copied if the array is float64 already."""
    return as_numpy(array, name).astype(np.float64, copy=False)


def sliceable(P, name: str):
    """Return P unchanged if `as_numpy` can read slices of it, else all of P as a numpy array.

    Raises
    ------
    DataError
        If `as_numpy` would refuse it, as far as that shows without reading it.
    """
    if hasattr(P, "dims") and hasattr(type(P), "data"):  # xarray
        held = getattr(getattr(P, "variable", P), "_data", None)
        # What reads slices from a file; .data would read all of it.
        return _Lazy(P) if hasattr(held, "get_duck_array") else sliceable(P.data, name)
    if np.ma.isMaskedArray(P):
        return _unmasked(P, name)
    unsliced = hasattr(P, "to_numpy") or hasattr(P, "tocsr")  # pandas, SciPy sparse
    if unsliced or not (hasattr(P, "shape") and hasattr(P, "__getitem__")):
        return as_numpy(P, name)
    if any(isinstance(n, float) and math.isnan(n) for n in P.shape):
        raise DataError(
            f"{name}: a dask array of unknown shape {tuple(P.shape)}; call its "
            "compute_chunk_sizes() first"
        )
    if hasattr(P, "detach"):
        _check_tensor(P, name)
    if dtype_name(P).startswith("complex"):
        raise _not_real(P, name)
    return P


def dtype_name(array) -> str:
    """Name of the dtype of an array of any library, such as "bfloat16"; "" if it has none."""
    dtype = getattr(array, "dtype", "")
    return getattr(dtype, "name", None) or str(dtype).removeprefix("torch.")


class _Lazy:
    """An array of xarray that is read where it is sliced."""

    def __init__(self, P):
        self._P, self.shape, self.dtype = P, tuple(P.shape), P.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        return np.asarray(self._P[key])


def _unwrapped(array, name: str):
    """Convert to something that numpy reads without silently dropping a mask or missing entries."""
    if isinstance(array, list | tuple):
        return [part if isinstance(part, _NUMBER) else _unwrapped(part, name) for part in array]
    if hasattr(array, "detach"):
        _check_tensor(array, name)
        array = array.detach().cpu()
        wider = array.is_floating_point() and array.element_size() < 4
        return (array.float() if wider else array).numpy()
    if hasattr(array, "dask"):
        return _unwrapped(array.compute(), name)
    if hasattr(array, "dims") and hasattr(array, "data"):  # xarray
        return _unwrapped(array.data, name)
    if hasattr(array, "to_numpy") and hasattr(array, "isna"):  # pandas
        return _from_pandas(array, name)
    if np.ma.isMaskedArray(array):
        return _unmasked(array, name)
    if hasattr(array, "tocsr"):
        raise DataError(f"{name}: a sparse matrix; call its toarray() first")
    if hasattr(array, "__dlpack__") and hasattr(array, "get"):  # CuPy, whose __array__ raises
        return array.get()
    if hasattr(array, "__dlpack__") and not hasattr(array, "__array__"):
        return np.from_dlpack(array)
    return array


def _large_integers(array: np.ndarray, name: str) -> np.ndarray:
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise DataError(f"{name}: an integer of more than 300 digits, expected less") from None


def _not_real(array, name: str) -> DataError:
    kind = "text" if getattr(array.dtype, "kind", "") in ("U", "S") else dtype_name(array)
    why = ". Complex data not supported" if kind.startswith("complex") else ""
    return DataError(f"{name}: entries of type {kind}, expected real numbers{why}")


def _check_tensor(tensor, name: str) -> None:
    if tensor.is_meta:
        raise DataError(f"{name}: a tensor on the meta device, which has no entries")
    if str(tensor.layout) != "torch.strided":
        raise DataError(f"{name}: a tensor of layout {tensor.layout}; call its to_dense() first")


def _unmasked(array, name: str) -> np.ndarray:
    masked = int(np.ma.count_masked(array))
    if masked:
        raise DataError(
            f"{name}: {masked} of {array.size} entries masked, expected none; leave these samples "
            "out of all arrays"
        )
    return np.ma.getdata(array)


def _from_pandas(table, name: str) -> np.ndarray:
    array, types = table.to_numpy(), np.ravel(np.array(table.dtypes, dtype=object))
    if array.dtype == object or not all(isinstance(kind, np.dtype) for kind in types):
        missing = int(np.sum(table.isna().to_numpy()))
        if missing:
            raise DataError(f"{name}: {missing} entries missing (NA), expected none")
        array = np.array(array.tolist())
    return array
