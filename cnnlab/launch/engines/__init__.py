"""Where runs execute: every engine places and starts the same parent (`cnnlab.launch.parent`)."""
