// Runs WireMock, a server of faults that others wrote, at the port given, and ends it with itself.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("node_modules/wiremock/build/", import.meta.url));
const jar = readdirSync(folder).find((name) => name.endsWith(".jar"));
const options = ["--port", process.argv[2], "--bind-address", "127.0.0.1", "--disable-banner"];
const java = spawn("java", ["-jar", folder + jar, ...options], { stdio: "ignore" });
java.on("exit", (code) => process.exit(code ?? 0));
process.on("SIGTERM", () => java.kill());
