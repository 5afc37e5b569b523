// An application for Azure: a session pool of its own for each customer, with @azure/arm-appcontainers and
// @azure/identity, used for one program and removed. Where ARM is comes from the environment, as it must in
// programs that also run in a sovereign cloud.
import { ContainerAppsAPIClient } from "@azure/arm-appcontainers";
import { DefaultAzureCredential } from "@azure/identity";

const subscription = "22222222-aaaa-4bbb-8ccc-000000000001";
const group = "customers";
const name = "customer-17";

const credential = new DefaultAzureCredential();
const arm = new ContainerAppsAPIClient(credential, subscription, {
  endpoint: process.env.AZURE_RESOURCE_MANAGER_URL ?? "https://management.azure.com",
});
const pools = arm.containerAppsSessionPools;

async function names(list) {
  const found = [];
  for await (const pool of list) found.push(pool.name);
  return found;
}

async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    return { status: error.statusCode, code: error.code, message: error.message };
  }
}

const before = await attempt(() => pools.get(group, name));

const created = await pools.beginCreateOrUpdateAndWait(group, name, {
  location: "northeurope",
  tags: { customer: "17" },
  poolManagementType: "Dynamic",
  containerType: "PythonLTS",
  scaleConfiguration: { maxConcurrentSessions: 3, readySessionInstances: 1 },
  dynamicPoolConfiguration: {
    lifecycleConfiguration: { lifecycleType: "Timed", cooldownPeriodInSeconds: 300 },
  },
  sessionNetworkConfiguration: { status: "EgressDisabled" },
});

const token = await credential.getToken("https://dynamicsessions.io/.default");
const executed = await fetch(
  `${created.poolManagementEndpoint}/executions?api-version=2025-07-01&identifier=customer-17-session`,
  {
    method: "POST",
    headers: { Authorization: `Bearer ${token.token}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      codeInputType: "Inline",
      executionType: "Synchronous",
      code: "sum(n * n for n in range(10))",
    }),
  },
);

const updated = await pools.beginUpdateAndWait(group, name, {
  scaleConfiguration: { maxConcurrentSessions: 5 },
});

const got = await pools.get(group, name);
const inGroup = await names(pools.listByResourceGroup(group));
const inSubscription = await names(pools.listBySubscription());

await pools.beginDeleteAndWait(group, name);
const after = await attempt(() => pools.get(group, name));

console.log(
  JSON.stringify({
    before,
    created,
    executed: { status: executed.status, body: await executed.json() },
    updated,
    got,
    inGroup,
    inSubscription,
    after,
  }),
);
