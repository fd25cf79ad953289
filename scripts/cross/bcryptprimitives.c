/* The one function of bcryptprimitives.dll that Rust and Bun call. Wine 8 does not have that library. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T length)
{
    return length <= MAXDWORD && SystemFunction036(bytes, (ULONG)length);
}
