// A host of MCP servers, with the client of @modelcontextprotocol/sdk: asks ARM for the key of the pool's tool server,
// launches an environment and runs code there.
// usage: mcp_host.mjs [KEY]
import { DefaultAzureCredential } from "@azure/identity";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const endpoint = process.env.POOL_MANAGEMENT_ENDPOINT;
const arm = process.env.AZURE_RESOURCE_MANAGER_URL ?? "https://management.azure.com";

async function fetchKey() {
  const resource = new URL(endpoint).pathname.replace("/sessionPools/", "/providers/Microsoft.App/sessionPools/");
  const { token } = await new DefaultAzureCredential().getToken("https://management.azure.com/.default");
  const answer = await fetch(`${arm}${resource}/fetchMCPServerCredentials?api-version=2025-02-02-preview`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}` },
  });
  return (await answer.json()).apiKey;
}

const key = process.argv[2] ?? (await fetchKey());
const client = new Client({ name: "a-host", version: "1.0.0" });
const transport = new StreamableHTTPClientTransport(new URL(process.env.MCP_ENDPOINT), {
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
    keyIsThatOfTheEnvironment: key === process.env.MCP_API_KEY,
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
