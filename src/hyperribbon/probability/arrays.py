"""The door where arrays come in: numbers of whatever holds them, or one line that says why not."""

import math

import numpy as np

from hyperribbon.errors import DataError

_NUMBER = int | float | np.number


def as_numpy(array, name: str) -> np.ndarray:
    """Real numbers of any array as numpy's, their dtype kept.

    Floating-point numbers that numpy or numba lack (bfloat16, float16) become float32, numbers of
    more than 64 bits float64, and all have the byte order of this machine.

    Parameters
    ----------
    array : of numpy, torch (on any device, with gradients), dask, zarr, xarray, pandas, or whatever
        numpy can read or passes itself on by DLPack; or a list of such, or of numbers
    name : what to call it in errors

    Raises
    ------
    DataError
        If entries are masked or missing, or are no real numbers, or cannot be read.
    """
    if type(array) is not np.ndarray:
        kind = type(array).__name__
        try:
            array = np.asarray(_unwrapped(array, name))
        except DataError:
            raise
        except (TypeError, ValueError, RuntimeError, BufferError) as error:  # such as a ragged list
            reason = str(error).partition("\n")[0]
            raise DataError(f"{name}: not an array of numbers ({reason})") from None
        if array.dtype == object and all(isinstance(entry, int) for entry in array.flat):
            array = _large_integers(array, name)
        if array.dtype == object and not array.ndim:
            raise DataError(f"{name}: {kind}, expected an array of real numbers")
    if array.dtype.name == "bfloat16":  # of JAX
        array = array.astype(np.float32)
    if array.dtype.kind not in "buif":
        raise _not_real(array, name)
    if array.dtype.kind == "f" and array.dtype.itemsize not in (4, 8):
        return array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def as_float64(array, name: str) -> np.ndarray:
    """The same as float64; not a copy if it is that already."""
    return as_numpy(array, name).astype(np.float64, copy=False)


def sliceable(P, name: str):
    """P as it is if slices of it can be read, by `as_numpy`; else all of it as an array of numpy.

    Raises
    ------
    DataError
        If it can be seen, without reading it, that `as_numpy` would refuse it.
    """
    if hasattr(P, "dims") and hasattr(P, "data"):  # of xarray
        return sliceable(P.data, name)
    if np.ma.isMaskedArray(P):
        return _unmasked(P, name)
    unsliced = hasattr(P, "to_numpy") or hasattr(P, "tocsr")  # of pandas, sparse
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
    """Name of the type of an array's entries, such as "bfloat16", whoever made it; or ""."""
    dtype = getattr(array, "dtype", "")
    return getattr(dtype, "name", None) or str(dtype).removeprefix("torch.")


def _unwrapped(array, name: str):
    """Something that numpy reads without losing a mask, missing entries or a gradient."""
    if isinstance(array, list | tuple):
        return [part if isinstance(part, _NUMBER) else _unwrapped(part, name) for part in array]
    if hasattr(array, "detach"):
        _check_tensor(array, name)
        array = array.detach().cpu()
        wider = array.is_floating_point() and array.element_size() < 4
        return (array.float() if wider else array).numpy()
    if hasattr(array, "dask"):
        return _unwrapped(array.compute(), name)
    if hasattr(array, "dims") and hasattr(array, "data"):  # of xarray
        return _unwrapped(array.data, name)
    if hasattr(array, "to_numpy") and hasattr(array, "isna"):  # of pandas
        return _of_pandas(array, name)
    if np.ma.isMaskedArray(array):
        return _unmasked(array, name)
    if hasattr(array, "tocsr"):
        raise DataError(f"{name}: a sparse matrix; call its toarray() first")
    if hasattr(array, "__dlpack__") and hasattr(array, "get"):  # of CuPy, whose __array__ refuses
        return array.get()
    if hasattr(array, "__dlpack__") and not hasattr(array, "__array__"):
        return np.from_dlpack(array)
    return array


def _large_integers(array: np.ndarray, name: str) -> np.ndarray:
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise DataError(f"{name}: an integer of more than 300 digits, expected numbers") from None


def _not_real(array, name: str) -> DataError:
    kind = "text" if getattr(array.dtype, "kind", "") in ("U", "S") else dtype_name(array)
    why = ". Complex data not supported" if kind.startswith("complex") else ""
    return DataError(f"{name}: of {kind}, expected real numbers{why}")


def _check_tensor(tensor, name: str) -> None:
    if tensor.is_meta:
        raise DataError(f"{name}: a tensor on the meta device, which has no entries")
    if str(tensor.layout) != "torch.strided":
        raise DataError(f"{name}: a tensor of layout {tensor.layout}; call its to_dense() first")


def _unmasked(array, name: str) -> np.ndarray:
    masked = int(np.ma.count_masked(array))
    if masked:
        raise DataError(
            f"{name}: {masked} of {array.size} entries masked, expected none; leave them out, "
            "of all arrays alike"
        )
    return np.ma.getdata(array)


def _of_pandas(table, name: str) -> np.ndarray:
    array, types = table.to_numpy(), np.ravel(np.array(table.dtypes, dtype=object))
    if array.dtype == object or not all(isinstance(kind, np.dtype) for kind in types):
        missing = int(np.sum(table.isna().to_numpy()))
        if missing:
            raise DataError(f"{name}: {missing} entries missing (NA), expected none")
        array = np.array(array.tolist())
    return array
