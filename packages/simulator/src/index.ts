export { SimulatedHost } from "./host.ts";
export { defaultWorld, World, type WorldOptions } from "./world.ts";
