// Gets a token with a credential of @azure/identity, and lists the files of a session with it.
// usage: credentials.mjs default|secret|federated SCOPE
import {
  ClientSecretCredential,
  DefaultAzureCredential,
  WorkloadIdentityCredential,
} from "@azure/identity";

const [kind, scope] = process.argv.slice(2);

// MSAL would ask login.microsoftonline.com about an authority that it does not know.
const offline = { disableInstanceDiscovery: true };
const tenant = "11111111-1111-1111-1111-111111111111";
const client = "44444444-4444-4444-4444-444444444444";

const credentials = {
  default: () => new DefaultAzureCredential(),
  secret: () => new ClientSecretCredential(tenant, client, "any secret", offline),
  // The tenant, the application and the file come from the environment, as in a cluster.
  federated: () => new WorkloadIdentityCredential(offline),
};

let token;
try {
  token = await credentials[kind]().getToken(scope);
} catch (error) {
  console.log(JSON.stringify({ refused: error.message }));
  process.exit();
}

const endpoint = process.env.POOL_MANAGEMENT_ENDPOINT;
const answer = await fetch(`${endpoint}/files?identifier=credentials-test&api-version=2025-10-02-preview`, {
  headers: { Authorization: `Bearer ${token.token}` },
});
console.log(
  JSON.stringify({
    claims: JSON.parse(Buffer.from(token.token.split(".")[1], "base64url")),
    secondsLeft: Math.round((token.expiresOnTimestamp - Date.now()) / 1000),
    status: answer.status,
    challenge: answer.headers.get("www-authenticate"),
    body: await answer.json(),
  }),
);
