"""The document camera (高拍仪): live preview with the page found, flattened captures."""
