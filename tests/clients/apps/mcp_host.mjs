// A host of MCP servers, with the client of @modelcontextprotocol/sdk: launches an environment and runs code there.
// usage: mcp_host.mjs URL KEY
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, key] = process.argv.slice(2);

const client = new Client({ name: "a-host", version: "1.0.0" });
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { "x-ms-apikey": key } },
});

try {
  await client.connect(transport);
} catch (error) {
  console.log(JSON.stringify({ refused: error.message }));
  process.exit();
}

const { tools } = await client.listTools();
const launched = await client.callTool({ name: "launchShell", arguments: {} });
const { environmentId } = launched.structuredContent;

const run = (pythonCode, id = environmentId) =>
  client.callTool({
    name: "runPythonCodeInRemoteEnvironment",
    arguments: { environmentId: id, pythonCode },
  });

const first = await run("x = 20\nprint('in a session')");
const second = await run("x + 22");
const mistake = await run("undefined_name");
await client.ping();

console.log(
  JSON.stringify({
    server: client.getServerVersion(),
    capabilities: client.getServerCapabilities(),
    tools: tools.map((tool) => tool.name),
    launched,
    first,
    second,
    mistake,
  }),
);
await client.close();
