export { kernelTest, readKernelFacts } from "./kernel.ts";
