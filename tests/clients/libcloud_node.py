"""Makes a machine with libcloud's plain `create_node`, which does not start it, then starts, stops and destroys it.

Reads what there is from the environment and the template's id from its argument, prints the states as JSON.
"""

import json
import os
import sys

from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider

driver = get_driver(Provider.CLOUDSTACK)(
    key=os.environ["CLOUDSTACK_KEY"],
    secret=os.environ["CLOUDSTACK_SECRET"],
    url=os.environ["CLOUDSTACK_ENDPOINT"],
    secure=False,
)
# Seconds; each job would take a whole one.
driver.connection.poll_interval = 0.3

image = next(image for image in driver.list_images() if image.id == sys.argv[1])
size = next(size for size in driver.list_sizes() if size.name == "Small Instance")
node = driver.create_node(name="from-libcloud", size=size, image=image)
states = {"created": node.state, "listed": [(found.id == node.id, found.state) for found in driver.list_nodes()]}
states["disks"] = [volume.size for volume in driver.list_volumes()]
states["started"] = driver.ex_start(node)
states["stopped"] = driver.ex_stop(node)
driver.destroy_node(node, ex_expunge=True)
states["left"] = len(driver.list_nodes())
print(json.dumps(states))
