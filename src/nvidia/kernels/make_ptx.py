#!/usr/bin/env python3
"""Compiles preprocess.cu to preprocess.ptx, and assembles that for real GPUs to prove that it is well
formed. Needs no GPU.

    python3 -m venv /tmp/ptx && . /tmp/ptx/bin/activate
    pip install nvidia-cuda-nvrtc-cu11==11.7.99 nvidia-cuda-nvcc-cu12==12.2.140
    python3 src/nvidia/kernels/make_ptx.py [--ptxas PROGRAM ...]

The target is compute_50, the lowest that this compiler has, which every GPU since Maxwell and every
Jetson since the Nano takes. The version of PTX that is written at the file's top is lowered to 6.0,
because a driver refuses a newer one than it knows, whatever is in it; the assembler, which checks
that nothing newer is used, vouches for that. NVRTC's comments, which name the compiler's build, give
way to the source's hash, which a test in gpu/kernels.rs compares.
"""
import argparse
import ctypes
import hashlib
import pathlib
import re
import subprocess
import sysconfig
import tempfile

HERE = pathlib.Path(__file__).parent
PACKAGES = pathlib.Path(sysconfig.get_paths()["purelib"]) / "nvidia"
ARCHITECTURES = ["sm_50", "sm_53", "sm_61", "sm_72", "sm_75", "sm_80", "sm_86", "sm_87", "sm_90"]
# No fused multiply and add: it rounds once where the CPU rounds twice.
OPTIONS = ["--gpu-architecture=compute_50", "--fmad=false", "--std=c++14", "-default-device"]


def compile_ptx(source: str) -> str:
    nvrtc = ctypes.CDLL(str(next((PACKAGES / "cuda_nvrtc/lib").glob("libnvrtc.so.*"))))
    program = ctypes.c_void_p()

    def call(name, *arguments):
        if code := getattr(nvrtc, name)(*arguments):
            raise SystemExit(f"{name}: {code}")

    call("nvrtcCreateProgram", ctypes.byref(program), source.encode(), b"preprocess.cu", 0, None, None)
    options = (ctypes.c_char_p * len(OPTIONS))(*(option.encode() for option in OPTIONS))
    failed = nvrtc.nvrtcCompileProgram(program, len(OPTIONS), options)
    size = ctypes.c_size_t()
    call("nvrtcGetProgramLogSize", program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    call("nvrtcGetProgramLog", program, log)
    print(log.value.decode(), end="")
    if failed:
        raise SystemExit("preprocess.cu does not compile")
    call("nvrtcGetPTXSize", program, ctypes.byref(size))
    ptx = ctypes.create_string_buffer(size.value)
    call("nvrtcGetPTX", program, ptx)
    return ptx.value.decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ptxas", action="append", default=[], help="further assemblers to try")
    arguments = parser.parse_args()
    source = (HERE / "preprocess.cu").read_text()
    lines = [line for line in compile_ptx(source).splitlines() if not line.startswith("//")]
    text = re.sub(r"(?m)^\.version .*$", ".version 6.0", "\n".join(lines)).strip() + "\n"
    digest = hashlib.sha256(source.encode()).hexdigest()
    target = HERE / "preprocess.ptx"
    target.write_text(f"// Made by make_ptx.py of preprocess.cu with the SHA-256 {digest}\n{text}")
    own = PACKAGES / "cuda_nvcc/bin/ptxas"
    for ptxas in [own, *arguments.ptxas]:
        for architecture in ARCHITECTURES:
            with tempfile.NamedTemporaryFile() as out:
                done = subprocess.run(
                    [ptxas, "-v", f"-arch={architecture}", "-o", out.name, target],
                    capture_output=True,
                    text=True,
                )
            said = done.stdout + done.stderr
            if done.returncode:
                print(f"{ptxas} {architecture}: {said.strip()}")
                continue
            kernels = re.findall(r"Compiling entry function '(\w+)'", said)
            registers = re.findall(r"Used (\d+) registers", said)
            spills = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores", said)
            facts = ", ".join(
                f"{name} {used} registers, {stack} bytes of stack, {spilt} spilt"
                for name, used, (stack, spilt) in zip(kernels, registers, spills)
            )
            print(f"{architecture}: {facts}")


if __name__ == "__main__":
    main()
