"""The face detector: heads with alpha, pictures composed of them, a small anchor-free network.

Its outputs are those of YuNet (Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", 2023),
so that whatever decodes YuNet decodes it; network, data and weights are the project's own.
"""
