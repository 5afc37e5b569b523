// An application for Azure: a model's tool that looks into a table in a session, with @llamaindex/azure.
// It knows nothing of where its pool is; AZURE_POOL_MANAGEMENT_ENDPOINT and DefaultAzureCredential do.
import { readFile } from "node:fs/promises";

import { AzureDynamicSessionTool } from "@llamaindex/azure";

const sales = `region,month,amount
north,1,120
north,2,80
south,1,200
south,2,250
`;

const tool = new AzureDynamicSessionTool();

const uploaded = await tool.uploadFile({ data: new Blob([sales]), remoteFilename: "sales.csv" });

const totals = await tool.call({
  code: `
import pandas as pd
sales = pd.read_csv("/mnt/data/sales.csv")
totals = sales.groupby("region")["amount"].sum()
totals.to_csv("/mnt/data/totals.csv")
print(totals.to_string())
int(totals.max())
`,
});

// Its variables are still there: the session is the tool's.
const chart = await tool.call({
  code: `
import matplotlib.pyplot as plt
totals.plot.bar(title="Sales")
plt.show()
`,
});

// As the tool says where it saved the picture, its name stands there twice.
const picture = await readFile(chart.result.slice(0, chart.result.lastIndexOf("/")));

const mistake = await tool.call({ code: "sales['profit']" });

const listed = await tool.listFiles();
const stream = await tool.downloadFile({ remoteFilename: "totals.csv" });
const downloaded = await new Response(stream).text();

console.log(
  JSON.stringify({
    uploaded,
    totals,
    picture: picture.subarray(0, 8).toString("latin1"),
    mistake,
    listed,
    downloaded,
  }),
);
