"""HDR pictures (PQ, HLG) as SDR sRGB: what a screen of today's brightness would show.

The curve is John Hable's filmic one, at 100 cd/m² to the unit, as in FFmpeg's chain `zscale=
t=linear:npl=100, zscale=p=bt709, tonemap=hable:desat=0, zscale=t=iec61966-2-1`, which the tests
compare with. HLG's system gamma acts on luminance, as the standard has it; zscale applies it to
each channel, which makes strong colours stronger. Source: transfer curves of ITU-R BT.2100-2,
tables 4 and 5; primaries of BT.2087-0. Not here: Dolby Vision and HDR10+ metadata.
"""

import functools

import numpy as np
from numpy.typing import NDArray

CODES = 1 << 16  # tables are indexed by 16-bit code values
UNIT_NITS = 100.0  # cd/m² that count as 1.0
PQ_PEAK_NITS = 10_000.0
HLG_PEAK_NITS = 1_000.0
MASTER_PEAK_NITS = 1_000.0  # what becomes white: most PQ is mastered to this, not to 10,000
HLG_SYSTEM_GAMMA = 1.2  # of a 1000 cd/m² screen
PQ, HLG = 16, 18  # transfer characteristics in ITU-T H.273

BT2020_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
BT2020_TO_BT709 = np.array(  # linear light, rows are the BT.709 channels
    [
        [1.660491, -0.587641, -0.072850],
        [-0.124550, 1.132900, -0.008349],
        [-0.018151, -0.100579, 1.118730],
    ],
    np.float32,
)


def tone_map(image: NDArray[np.uint16], *, transfer: int, wide: bool) -> NDArray[np.uint8]:
    """Map an HDR picture to SDR.

    Args:
        image: Nonlinear RGB (height, width, 3), full range of 16 bits.
        transfer: `PQ` or `HLG`.
        wide: Whether the primaries are BT.2020's; else they are taken for BT.709's.

    Returns:
        sRGB (height, width, 3).
    """
    linear = _linear_table(transfer)[image]  # (height, width, 3), 1.0 is UNIT_NITS
    if transfer == HLG:
        linear *= ((linear @ BT2020_LUMA) ** (HLG_SYSTEM_GAMMA - 1))[..., None]
        linear *= HLG_PEAK_NITS / UNIT_NITS
    if wide:
        linear = linear @ BT2020_TO_BT709.T
    brightest = np.maximum(linear.max(axis=2), 1e-6)
    linear *= (_hable(brightest) / (_hable(np.float32(MASTER_PEAK_NITS / UNIT_NITS)) * brightest))[
        ..., None
    ]
    codes = np.clip(linear, 0, 1) * np.float32(CODES - 1) + np.float32(0.5)
    return _srgb_table()[codes.astype(np.uint16)]


def _hable(light: NDArray[np.float32] | np.float32) -> NDArray[np.float32]:
    """The filmic curve of Uncharted 2, before it is scaled so that the peak becomes 1."""
    a, b, c, d, e, f = 0.15, 0.50, 0.10, 0.20, 0.02, 0.30
    curve = (light * (light * a + b * c) + d * e) / (light * (light * a + b) + d * f) - e / f
    return np.asarray(curve, np.float32)


@functools.cache
def _linear_table(transfer: int) -> NDArray[np.float32]:
    """Linear light of every 16-bit code: PQ in units of UNIT_NITS, HLG scene light from 0 to 1."""
    signal = np.linspace(0, 1, CODES)
    if transfer == PQ:
        m1, m2 = 2610 / 16384, 2523 / 4096 * 128
        c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
        root = signal ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
        return (light * (PQ_PEAK_NITS / UNIT_NITS)).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = (np.exp((signal - c) / a) + b) / 12
    return np.where(signal <= 0.5, signal**2 / 3, bright).astype(np.float32)


@functools.cache
def _srgb_table() -> NDArray[np.uint8]:
    """SRGB's 8-bit code of every 16-bit linear one. Source: IEC 61966-2-1."""
    light = np.linspace(0, 1, CODES)
    signal = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (signal * 255 + 0.5).astype(np.uint8)
