// Reads a trace as Apollo's gateways do, and tells it as JSON.
import { Trace } from "@apollo/usage-reporting-protobuf";

const told = Trace.toObject(Trace.decode(Buffer.from(process.argv[2], "base64")));
console.log(JSON.stringify(told));
